// What part of the page can be seen: an on-screen keyboard takes the lower part away, and everything must move above it.

/** Calls changed(size) now and whenever it changes: { width, height } of the page, and how much is covered below. */
export function watchViewport(window, changed) {
  const { document, visualViewport } = window;
  const root = document.documentElement;
  const update = () => {
    const width = root.clientWidth;
    const height = window.innerHeight;
    const top = visualViewport ? Math.max(0, visualViewport.offsetTop) : 0;
    const seen = visualViewport ? Math.min(height, visualViewport.height) : height;
    // While pinched the browser shows a part of the page only; then nothing is moved.
    const pinched = visualViewport && visualViewport.scale > 1.01;
    root.style.setProperty("--seen-top", `${pinched ? 0 : top}px`);
    root.style.setProperty("--seen-height", `${pinched ? height : seen}px`);
    changed({ width, height, covered: pinched ? 0 : Math.max(0, height - top - seen) });
  };
  window.addEventListener("resize", update);
  visualViewport?.addEventListener("resize", update);
  visualViewport?.addEventListener("scroll", update);
  update();
}
