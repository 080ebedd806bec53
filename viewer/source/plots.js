// Joint angles over time, left and right in one plot; dashed where the person was hardly seen.

const HEIGHT = 92;
const MARGIN = { left: 34, right: 6, top: 16, bottom: 6 };

export class Plots {
  constructor(place, chooser, report, clock) {
    Object.assign(this, { place, report, clock, person: 0, frame: 0 });
    this.kinds = report.angle_kinds;
    this.shown = report.angle_kinds.filter((kind) => kind.first).map((kind) => kind.name);
    for (const kind of this.kinds) {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: kind.first });
      box.addEventListener("change", () => {
        this.shown = box.checked ? [...this.shown, kind.name] : this.shown.filter((name) => name !== kind.name);
        this.lay();
      });
      label.append(box, kind.title);
      chooser.append(label);
    }
    new ResizeObserver(() => this.lay()).observe(place);
    this.lay();
  }

  choose(number) {
    this.person = number;
    this.lay();
  }

  lay() {
    this.place.replaceChildren();
    this.cursors = [];
    const style = getComputedStyle(document.documentElement);
    this.colours = { ink: style.getPropertyValue("--ink"), faint: style.getPropertyValue("--line") };
    const added = this.kinds.filter(({ name }) => this.shown.includes(name)).map((kind) => this.add(kind));
    for (const drawn of added) drawn(); // now that all are there and have their width
    this.show(this.frame);
  }

  add(kind) {
    const person = this.report.people[this.person];
    const box = document.createElement("div");
    const canvas = document.createElement("canvas");
    const cursor = document.createElement("i");
    box.className = "plot";
    box.append(canvas, cursor);
    this.place.append(box);
    const curves = kind.curves.map((curve) => ({ ...curve, values: person.angles[curve.angle], guessed: person.guessed[curve.angle] }));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${kind.title} in degrees over time, ${person.title}`);
    this.cursors.push({ cursor, canvas, curves, box });
    box.addEventListener("pointerdown", (event) => this.scrub(event, canvas));
    box.addEventListener("pointermove", (event) => event.buttons && this.scrub(event, canvas));
    return () => this.draw(canvas, kind.title, curves, person);
  }

  scrub(event, canvas) {
    const { left, width } = canvas.getBoundingClientRect();
    const share = (event.clientX - left - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
    this.clock.seek(share * (this.report.frames - 1));
  }

  draw(canvas, title, curves, person) {
    const width = canvas.parentElement.clientWidth || 300;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: width * ratio, height: HEIGHT * ratio });
    Object.assign(canvas.style, { width: `${width}px`, height: `${HEIGHT}px` });
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "11px system-ui, sans-serif";
    const known = curves.flatMap(({ values }) => values.filter((value) => value !== null));
    if (!known.length) {
      pen.fillStyle = this.colours.ink;
      pen.fillText(`${title}: nothing is known`, MARGIN.left, 30);
      return;
    }
    const low = Math.floor(Math.min(...bounds(known), 0) / 10) * 10;
    const high = Math.max(Math.ceil(Math.max(...bounds(known)) / 10) * 10, low + 30);
    const x = (frame) => MARGIN.left + (frame / Math.max(this.report.frames - 1, 1)) * (width - MARGIN.left - MARGIN.right);
    const y = (value) => HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    this.axes(pen, width, y, low, high);
    curves.forEach((curve, number) => {
      line(pen, curve, person.marks, x, y);
      pen.fillStyle = curve.colour;
      pen.fillText(curve.side, width - 8 - 32 * (curves.length - number), 11);
    });
    pen.fillStyle = this.colours.ink;
    pen.fillText(`${title}, degrees`, MARGIN.left, 11);
  }

  axes(pen, width, y, low, high) {
    pen.strokeStyle = this.colours.faint;
    pen.fillStyle = this.colours.ink;
    pen.textAlign = "right";
    for (const value of new Set([low, 0, high])) {
      pen.beginPath();
      pen.moveTo(MARGIN.left, y(value));
      pen.lineTo(width - MARGIN.right, y(value));
      pen.stroke();
      pen.fillText(value, MARGIN.left - 4, y(value) + 4);
    }
    pen.textAlign = "left";
  }

  show(frame) {
    this.frame = frame;
    for (const { cursor, canvas, curves } of this.cursors) {
      const width = canvas.clientWidth - MARGIN.left - MARGIN.right;
      cursor.style.left = `${MARGIN.left + (frame / Math.max(this.report.frames - 1, 1)) * width}px`;
      cursor.classList.toggle("late", frame > this.report.frames / 2);
      cursor.dataset.words = curves
        .map(({ side, values }) => `${side} ${values[frame] === null ? "-" : Math.round(values[frame])}°`)
        .join("  ");
    }
  }
}

function bounds(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function line(pen, { values, colour, guessed }, marks, x, y) {
  const unknown = [...marks, ...guessed];
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  for (const dashed of [false, true]) {
    pen.setLineDash(dashed ? [3, 3] : []);
    pen.beginPath();
    for (let frame = 1; frame < values.length; frame++) {
      if (values[frame] === null || values[frame - 1] === null) continue;
      const unsure = isMarked(unknown, frame) || isMarked(unknown, frame - 1);
      if (unsure !== dashed) continue;
      pen.moveTo(x(frame - 1), y(values[frame - 1]));
      pen.lineTo(x(frame), y(values[frame]));
    }
    pen.stroke();
  }
  pen.setLineDash([]);
}

function isMarked(marks, frame) {
  return marks.some(({ from, to }) => from <= frame && frame <= to);
}
