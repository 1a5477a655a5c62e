// Requests as they happen: a dot that glows and cools down at each place, and a ring that spreads from it.

const RING_MS = 1500, REST_MS = 260; // how long a ring spreads, and the least time between two of one place
const COOLING_MS = 7000; // a dot's glow falls to 37 % in this time
const GAIN = 0.24, HOTTEST = 1.5; // of a dot's heat by one request, and at most
const FAINTEST = 0.03;
const MOST_DOTS = 3000, MOST_RINGS = 320; // of dots the oldest give way; rings begin when there is room
const RADII = [2.6, 3.8, 5.4, 7.4]; // of dots, by their heat
const SPREAD_MS = 110; // what came in one message appears over this time, since it had happened over as much

export class Pulses {
  constructor(canvas, calm) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.calm = calm; // no rings, for those who asked for little motion
    this.dots = new Map();
    this.rings = [];
    this.frames = 0;
    this.running = false;
  }

  fit(width, height, ratio) {
    const unit = Math.max(0.5, Math.min(1.8, width / 1050)); // the world's size on the screen
    Object.assign(this, { width, height, ratio, unit });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.clear();
  }

  dye(colour) {
    this.colour = colour;
    this.sprites = RADII.map((radius) => this.sprite(radius * (this.unit || 1)));
  }

  clear() {
    this.dots.clear();
    this.rings.length = 0;
  }

  sprite(radius) {
    const size = Math.ceil(radius * 2 * (this.ratio || 1));
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
    const glow = context.createRadialGradient(size / 2, size / 2, 0, size / 2, size / 2, size / 2);
    glow.addColorStop(0, this.colour.core);
    glow.addColorStop(0.28, this.colour.pulse);
    glow.addColorStop(0.45, this.colour.halo);
    glow.addColorStop(1, "transparent");
    context.fillStyle = glow;
    context.fillRect(0, 0, size, size);
    return { canvas, radius };
  }

  // Some requests at a place of the canvas.
  add(x, y, hits, now) {
    const key = `${Math.round(x)},${Math.round(y)}`;
    const begins = now + Math.random() * SPREAD_MS;
    let dot = this.dots.get(key);
    if (dot) this.dots.delete(key); // so that it is the newest again
    else dot = { x, y, heat: 0, last: begins, ring: 0 };
    this.dots.set(key, dot);
    dot.heat = Math.min(HOTTEST, dot.heat * Math.exp((dot.last - begins) / COOLING_MS) + GAIN * (1 + Math.log2(hits)));
    dot.last = begins;
    if (!this.calm && begins - dot.ring > REST_MS && this.rings.length < MOST_RINGS) {
      dot.ring = begins;
      this.rings.push({ x, y, begins, reach: this.unit * (10 + 4 * Math.min(4, Math.log2(hits))) });
    }
    if (this.dots.size > MOST_DOTS) this.dots.delete(this.dots.keys().next().value);
    this.start();
  }

  start() {
    if (this.running) return;
    this.running = true;
    const next = (now) => {
      this.frames += 1;
      this.draw(now);
      this.running = this.dots.size > 0;
      if (this.running) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  draw(now) {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    for (const [key, dot] of this.dots) {
      if (now < dot.last && dot.heat <= GAIN) continue; // the first request, which has yet to come
      const heat = dot.heat * Math.exp(Math.min(0, dot.last - now) / COOLING_MS);
      if (heat < FAINTEST) { this.dots.delete(key); continue; }
      const { canvas, radius } = this.sprites[Math.min(3, Math.floor(heat * 2.5))];
      context.globalAlpha = Math.min(1, heat * 2.2);
      context.drawImage(canvas, dot.x - radius, dot.y - radius, 2 * radius, 2 * radius);
    }
    context.strokeStyle = this.colour.pulse;
    this.rings = this.rings.filter(({ begins }) => now - begins < RING_MS);
    for (const { x, y, begins, reach } of this.rings) {
      const part = (now - begins) / RING_MS;
      if (part < 0) continue;
      context.globalAlpha = 0.75 * (1 - part) ** 2;
      context.lineWidth = (1.5 - part) * Math.max(0.8, this.unit);
      context.beginPath();
      context.arc(x, y, 2 * this.unit + reach * (1 - (1 - part) ** 3), 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
