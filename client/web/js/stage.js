// Six figures who stroll about the square while nobody is logged in: what one sees behind the login screen.
import { Walker } from "./motion.js";
import { animate } from "./actors.js";

const HOME = [[-150, 50], [-60, 110], [40, 60], [130, 110], [190, 20], [-210, -20]];

export class Stage {
  constructor(random) {
    this.random = random;
    this.people = HOME.map(([x, y], n) => ({
      id: -1 - n, name: "", avatar: n, x, y, motion: new Walker(x, y), direction: 0, walked: 0, restless: 0, column: 0, bubble: null, blinkAt: 0,
      home: [x, y], restUntil: 1000 + 900 * n,
    }));
  }

  step(now, seconds, still) {
    for (const p of this.people) {
      if (!p.motion.target && !still && now > p.restUntil) {
        p.motion.walkTo(p.home[0] + (this.random() - 0.5) * 180, p.home[1] + (this.random() - 0.5) * 90);
        p.restUntil = now + 2500 + this.random() * 5000;
      }
      p.motion.step(now, seconds * 0.7);
      animate(p, p.motion.x - p.x, p.motion.y - p.y, now, seconds);
      p.x = p.motion.x;
      p.y = p.motion.y;
    }
  }
}
