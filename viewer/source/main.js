// report.html: what predict found, to play, turn and measure.

import { Clock } from "./clock.js";
import { addDownloads, unpacked } from "./files.js";
import { Plots } from "./plots.js";
import { Stage } from "./stage.js";
import { Strips } from "./strips.js";

const MANY_PEOPLE = 2;

function element(id) {
  return document.getElementById(id);
}

async function begin() {
  const report = JSON.parse(element("report").textContent);
  const clock = new Clock(report.frames, report.fps, element("video"));
  const stage = await stageOf(report);
  const plots = new Plots(element("plots"), element("angles"), report, clock);
  const strips = new Strips(element("strips"), report);
  const slider = element("time");
  slider.max = report.frames - 1;

  clock.onframe = (frame) => {
    slider.value = frame;
    const words = `${(frame / report.fps).toFixed(2)} s, frame ${frame + 1} of ${report.frames}`;
    slider.setAttribute("aria-valuetext", words);
    element("now").textContent = words;
    stage?.show(frame, frame / report.fps);
    plots.show(frame);
    strips.show(frame);
  };
  clock.onplaying = (playing) => {
    element("play").textContent = playing ? "Pause" : "Play";
  };

  element("play").addEventListener("click", () => clock.toggle());
  slider.addEventListener("input", () => clock.seek(Number(slider.value)));
  element("speed").addEventListener("change", (event) => clock.setSpeed(Number(event.target.value)));
  element("follow").addEventListener("change", (event) => stage?.follow(event.target.checked));
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => stage?.look(button.dataset.view));
  }
  addPeople(report, stage, plots);
  addDownloads(element("downloads"), report.people);
  listenToKeys(clock, stage);
  clock.seek(0);
  document.body.dataset.ready = "yes";
}

async function stageOf(report) {
  const place = element("stage");
  try {
    const bodies = await Promise.all(report.people.map((person) => unpacked(person.files.glb.data)));
    return await Stage.of(place, report, bodies);
  } catch (error) {
    place.classList.add("absent");
    place.textContent = `The body cannot be drawn here: ${error.message}. Video, plots and downloads work without it.`;
    return null;
  }
}

function addPeople(report, stage, plots) {
  const place = element("people");
  if (report.people.length < MANY_PEOPLE) return;
  report.people.forEach((person, number) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
    box.addEventListener("change", () => stage?.showPerson(number, box.checked));
    const choose = Object.assign(document.createElement("button"), { textContent: person.title, type: "button" });
    choose.style.setProperty("--colour", person.colour);
    choose.title = `Follow ${person.title}, and plot what they do`;
    choose.addEventListener("click", () => {
      stage?.choose(number);
      plots.choose(number);
    });
    box.setAttribute("aria-label", `Show ${person.title}`);
    place.append(box, choose);
  });
}

function listenToKeys(clock, stage) {
  const views = { 1: "front", 2: "side", 3: "above", 4: "film" };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inField = ["SELECT", "BUTTON"].includes(event.target.tagName) && event.key === " ";
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (event.key === " " && !inField) clock.toggle();
    else if (event.key in steps) clock.seek(clock.frame + steps[event.key]);
    else if (event.key === "Home") clock.seek(0);
    else if (event.key === "End") clock.seek(clock.frames - 1);
    else if (event.key in views) stage?.look(views[event.key]);
    else return;
    event.preventDefault();
  });
}

begin();
