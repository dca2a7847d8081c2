// Dark or light: what the system prefers, until the button says otherwise.

const key = "tavern-theme";

function stored() {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off
  }
}

/** Applies the theme now and when it changes; changed is called after each change. */
export function setUpTheme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: light)");
  const apply = () => {
    const light = stored() === "light" || (stored() !== "dark" && system.matches);
    document.documentElement.classList.toggle("light", light);
    changed();
    return light;
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    const next = document.documentElement.classList.contains("light") ? "dark" : "light";
    try {
      localStorage.setItem(key, next);
    } catch {
      document.documentElement.classList.toggle("light", next === "light");
      changed();
      return;
    }
    apply();
  });
  apply();
}
