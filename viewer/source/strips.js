// Spans under the time line: feet that stand, and frames that are inferred, filled or repaired.

export class Strips {
  constructor(place, report) {
    this.last = Math.max(report.frames - 1, 1);
    this.cursors = [];
    for (const person of report.people) {
      const of = report.people.length > 1 ? `${person.title}, ` : "";
      for (const [side, spans] of Object.entries(person.contacts ?? {})) {
        this.add(place, `${of}${side} foot stands`, spans, `foot ${side}`);
      }
      for (const kind of ["inferred", "filled"]) {
        const spans = person.marks.filter((mark) => mark.kind === kind);
        if (spans.length) this.add(place, `${of}${kind}`, spans, kind);
      }
      if (person.repaired.length) this.add(place, `${of}sides put back`, person.repaired, "repaired");
    }
  }

  add(place, title, spans, kind) {
    const words = Object.assign(document.createElement("span"), { textContent: title });
    const strip = document.createElement("div");
    strip.className = `strip ${kind}`;
    strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", `${title}: frames ${spans.map(({ from, to }) => `${from + 1} to ${to + 1}`).join(", ") || "none"}`);
    for (const { from, to } of spans) {
      const span = document.createElement("b");
      span.style.left = `${(100 * from) / (this.last + 1)}%`;
      span.style.width = `${(100 * (to - from + 1)) / (this.last + 1)}%`;
      strip.append(span);
    }
    const cursor = document.createElement("i");
    strip.append(cursor);
    this.cursors.push(cursor);
    place.append(words, strip);
  }

  show(frame) {
    for (const cursor of this.cursors) cursor.style.left = `${(100 * (frame + 0.5)) / (this.last + 1)}%`;
  }
}
