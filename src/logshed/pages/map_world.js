// The world: Equal Earth's projection, outlines, and the drawing of land, seas, night and totals.
// Projection: Šavrič, Patterson, Jenny (2018), "The Equal Earth map projection"; its four coefficients are theirs.

const A1 = 1.340264, A2 = -0.081106, A3 = 0.000893, A4 = 0.003796;
const RADIANS = Math.PI / 180;
const SOUTH = -57, NORTH = 84.5; // degrees between which the map is drawn; what is south of it is put to its edge
const SHADES = 7; // of countries by their share
const EDGE = 0.985; // of the room that the map takes

// Longitude and latitude in degrees to the plane; x within ±2.7066, y grows to the north.
export function project(longitude, latitude) {
  const angle = Math.asin(Math.sqrt(3) / 2 * Math.sin(latitude * RADIANS));
  const square = angle * angle, sixth = square * square * square;
  const x = 2 * Math.sqrt(3) * longitude * RADIANS * Math.cos(angle)
    / (3 * (9 * A4 * sixth * square + 7 * A3 * sixth + 3 * A2 * square + A1));
  return [x, angle * (A4 * sixth * square + A3 * sixth + A2 * square + A1)];
}

const WIDEST = project(180, 0)[0];
const TOP = project(0, NORTH)[1], BOTTOM = project(0, SOUTH)[1];

// A ring's first point and steps, in parts of a degree, to points of the plane.
function plane(ring, scale) {
  const points = [];
  let x = 0, y = 0;
  for (let at = 0; at < ring.length; at += 2) {
    x += ring[at];
    y += ring[at + 1];
    points.push(project(x / scale, y / scale));
  }
  return points;
}

// Where the sun stands in the zenith: degrees of longitude and latitude. Good to a degree, which is less than a dot.
export function sun(ms) {
  const days = ms / 86400000 - 10957.5; // since noon of the first day of 2000
  const mean = (357.529 + 0.98560028 * days) * RADIANS;
  const along = (280.459 + 0.98564736 * days + 1.915 * Math.sin(mean) + 0.02 * Math.sin(2 * mean)) * RADIANS;
  const tilt = 23.439 * RADIANS;
  const latitude = Math.asin(Math.sin(tilt) * Math.sin(along)) / RADIANS;
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(along), Math.cos(along)) / RADIANS;
  const turned = ascension - (280.46061837 + 360.98564736629 * days);
  return [((turned + 180) % 360 + 360) % 360 - 180, latitude];
}

export class World {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.points = new Map(Object.entries(data.points).map(([code, at]) => [code, at.map((one) => one / data.scale)]));
    this.outlines = data.countries.map(({ code, rings }) => ({ code, rings: rings.map((one) => plane(one, data.scale)) }));
    this.levels = new Map(); // shade by country
    this.chosen = "";
  }

  // Fit into the room that there is; true where that changed.
  fit(width, height, ratio) {
    if (this.width === width && this.height === height && this.ratio === ratio) return false;
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.scale = EDGE * Math.min(width / (2 * WIDEST), height / (TOP - BOTTOM));
    this.left = width / 2;
    this.middle = (height + (TOP + BOTTOM) * this.scale) / 2;
    for (const outline of this.outlines) outline.path = this.path(outline.rings);
    this.globe = this.path([this.edge()]);
    this.grid = this.meridians();
    return true;
  }

  // A place on the canvas, in CSS pixels.
  at(longitude, latitude) {
    const [x, y] = project(longitude, Math.max(SOUTH, Math.min(NORTH, latitude)));
    return [this.left + x * this.scale, this.middle - y * this.scale];
  }

  path(rings) {
    const path = new Path2D();
    for (const ring of rings) {
      ring.forEach(([x, y], number) => path[number ? "lineTo" : "moveTo"](this.left + x * this.scale, this.middle - y * this.scale));
      path.closePath();
    }
    return path;
  }

  edge() {
    const points = [];
    for (let latitude = SOUTH; latitude < NORTH; latitude += 1.5) points.push(project(180, latitude));
    points.push(project(180, NORTH));
    return [...points, ...points.map(([x, y]) => [-x, y]).reverse()];
  }

  meridians() {
    const path = new Path2D();
    for (let longitude = -150; longitude < 180; longitude += 30) {
      for (let latitude = SOUTH; latitude <= NORTH; latitude += 4) path[latitude === SOUTH ? "moveTo" : "lineTo"](...this.at(longitude, latitude));
    }
    for (let latitude = -30; latitude <= 60; latitude += 30) {
      path.moveTo(...this.at(-180, latitude));
      path.lineTo(...this.at(180, latitude));
    }
    return path;
  }

  // The half of the globe on which it is night.
  night(ms) {
    const [longitude, latitude] = sun(ms);
    const steep = Math.tan((Math.abs(latitude) < 0.1 ? 0.1 : latitude) * RADIANS);
    const ring = [];
    for (let at = -180; at <= 180; at += 2) {
      ring.push(project(at, Math.atan(-Math.cos((at - longitude) * RADIANS) / steep) / RADIANS));
    }
    const pole = steep > 0 ? -90 : 90, ends = Math.atan(-Math.cos((180 - longitude) * RADIANS) / steep) / RADIANS;
    const side = Array.from({ length: 41 }, (_, step) => project(180, ends + (pole - ends) * step / 40));
    ring.push(...side, ...side.map(([x, y]) => [-x, y]).reverse());
    return this.path([ring]);
  }

  // Take totals by country; true where a shade has changed.
  count(totals) {
    let most = 1, changed = false;
    for (const [code, hits] of totals) if (code && hits > most) most = hits;
    for (const { code } of this.outlines) {
      const hits = totals.get(code) || 0;
      const level = hits && code ? Math.max(1, Math.ceil(SHADES * Math.log1p(hits) / Math.log1p(most))) : 0;
      if ((this.levels.get(code) || 0) !== level) { this.levels.set(code, level); changed = true; }
    }
    return changed;
  }

  draw(colour, ms) {
    const { context, width, height, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colour.deep;
    context.fillRect(0, 0, width, height);
    context.save();
    context.clip(this.globe);
    context.fillStyle = colour.sea;
    context.fillRect(0, 0, width, height);
    context.lineJoin = "round";
    context.lineWidth = 1;
    context.strokeStyle = colour.grid;
    context.stroke(this.grid);
    context.strokeStyle = colour.border;
    context.lineWidth = Math.max(0.6, Math.min(1, width / 1400));
    for (const { code, path } of this.outlines) {
      context.fillStyle = colour.shades[this.levels.get(code) || 0];
      context.fill(path, "evenodd");
      context.stroke(path);
    }
    if (ms !== null) {
      context.fillStyle = colour.night;
      context.fill(this.night(ms));
    }
    if (this.chosen) {
      context.strokeStyle = colour.accent;
      context.lineWidth = 2;
      for (const { code, path } of this.outlines) if (code === this.chosen) context.stroke(path);
    }
    context.restore();
    context.strokeStyle = colour.border;
    context.stroke(this.globe);
  }

  // The country at a place of the canvas, or nothing.
  found(x, y) {
    const { context, ratio } = this;
    return this.outlines.find(({ path }) => context.isPointInPath(path, x * ratio, y * ratio, "evenodd"))?.code || "";
  }

  static shades(mix) {
    return Array.from({ length: SHADES + 1 }, (_, level) => mix(level ? 0.12 + 0.88 * (level / SHADES) ** 1.6 : 0));
  }
}
