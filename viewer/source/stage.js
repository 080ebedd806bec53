// The bodies in their world: y up, metres, floor at y = 0.

import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const FIELD_OF_VIEW = 35;
const FADED = 0.2; // where nobody was found and the pose is held or bridged
const GUESSED = 0.3; // limbs that were not seen
const DISTANCE_M = 3.9;
const FRUSTUM_M = 0.5;
const VIEWS = { front: [0, 0.15, 1], side: [1, 0.15, 0], above: [0, 1, 0.001] };

export class Stage {
  static async of(place, report, bodies) {
    const stage = new Stage(place, report);
    for (const [number, content] of bodies.entries()) await stage.add(report.people[number], content);
    stage.surround();
    stage.look(report.camera.known ? "film" : "front");
    return stage;
  }

  constructor(place, report) {
    this.place = place;
    this.camera_ = report.camera;
    this.people = [];
    this.chosen = 0;
    this.following = true;
    this.renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true });
    this.renderer.shadowMap.enabled = true;
    this.renderer.domElement.setAttribute("aria-hidden", "true");
    place.append(this.renderer.domElement);
    this.scene = new THREE.Scene();
    this.eye = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 0.05, 500);
    this.controls = new OrbitControls(this.eye, this.renderer.domElement);
    this.controls.addEventListener("change", () => this.draw());
    // Whoever drags leaves the filming camera's view, which may be rolled; the controls know upright views alone.
    this.renderer.domElement.addEventListener("pointerdown", () => this.filming && this.leaveFilm(), true);
    new ResizeObserver(() => this.fit()).observe(place);
  }

  async add(person, content) {
    const loaded = await new GLTFLoader().parseAsync(content, "");
    let joint = null;
    let bones = [];
    const materials = [];
    const guessed = { value: new Float32Array() }; // by bone, 1 where what it moves is a guess
    loaded.scene.traverse((node) => {
      if (node.isBone) joint ??= node;
      if (!node.isMesh) return;
      node.castShadow = true;
      node.frustumCulled = false; // its bounds are those of the rest pose
      const [left, right, middle] = person.palette;
      const colour = { left, right, middle }[node.material.name];
      if (colour) node.material.color.set(colour);
      if (node.isSkinnedMesh) ({ bones } = node.skeleton);
      fadeable(node.material, guessed, bones.length);
      materials.push(node.material);
    });
    guessed.value = new Float32Array(bones.length);
    const limbs = bones.map(({ name }) => person.limbs[name] ?? []);
    const mixer = new THREE.AnimationMixer(loaded.scene);
    const action = mixer.clipAction(loaded.animations[0]);
    action.loop = THREE.LoopOnce;
    action.clampWhenFinished = true;
    action.play();
    this.scene.add(loaded.scene);
    const { duration: last } = loaded.animations[0];
    const filled = person.marks.filter((mark) => mark.kind === "filled");
    this.people.push({ scene: loaded.scene, mixer, action, materials, filled, guessed, limbs, root: joint, last });
  }

  surround() {
    const middle = this.at();
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0x8a8d95, 1.6));
    this.light = new THREE.DirectionalLight(0xffffff, 1.8);
    this.light.castShadow = true;
    this.light.shadow.mapSize.set(1024, 1024);
    Object.assign(this.light.shadow.camera, { left: -2, right: 2, top: 2.5, bottom: -2, near: 0.5, far: 12 });
    this.scene.add(this.light, this.light.target);
    const floor = new THREE.Mesh(new THREE.PlaneGeometry(60, 60), new THREE.ShadowMaterial({ opacity: 0.25 }));
    floor.rotation.x = -Math.PI / 2;
    floor.receiveShadow = true;
    const grid = new THREE.GridHelper(20, 40, 0x7c8594, 0xb4bac4);
    grid.position.set(Math.round(middle.x), 0.001, Math.round(middle.z));
    this.scene.add(floor, grid);
    if (this.camera_.known) {
      this.pyramid = this.frustum();
      this.scene.add(this.pyramid);
    }
  }

  // The camera that filmed, as a small pyramid.
  frustum() {
    const { place, rotation, size, focal, principal } = this.camera_;
    const turn = new THREE.Matrix3().set(...rotation);
    const tip = new THREE.Vector3(...place);
    const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => {
      const ray = [(x * size[0] - principal[0]) / focal, (y * size[1] - principal[1]) / focal, 1];
      return new THREE.Vector3(...ray).multiplyScalar(FRUSTUM_M).applyMatrix3(turn).add(tip);
    });
    const points = corners.flatMap((corner, i) => [tip, corner, corner, corners[(i + 1) % 4]]);
    const lines = new THREE.BufferGeometry().setFromPoints(points);
    return new THREE.LineSegments(lines, new THREE.LineBasicMaterial({ color: 0x5b6472 }));
  }

  // Where the chosen person's pelvis is.
  at() {
    return this.people[this.chosen].root.getWorldPosition(new THREE.Vector3());
  }

  show(frame, time) {
    for (const { mixer, action, last, materials, filled, guessed, limbs } of this.people) {
      const absent = isWithin(filled, frame);
      limbs.forEach((spans, bone) => (guessed.value[bone] = isWithin(spans, frame) ? 1 : 0));
      const faint = absent || guessed.value.includes(1);
      for (const material of materials) {
        material.needsUpdate ||= material.transparent !== faint; // opaque ones have a shader of their own
        material.transparent = faint;
        material.opacity = absent ? FADED : 1;
      }
      action.paused = false;
      action.enabled = true;
      mixer.setTime(Math.min(time, last));
    }
    this.followChosen();
    this.draw();
  }

  follow(wanted) {
    this.following = wanted;
    this.followChosen();
    this.draw();
  }

  followChosen() {
    const at = this.at();
    this.light.target.position.set(at.x, at.y - 0.1, at.z);
    this.light.position.set(at.x + 2, at.y + 4, at.z + 2.5);
    if (!this.following || this.filming) return;
    const moved = at.sub(this.controls.target);
    this.controls.target.add(moved);
    this.eye.position.add(moved);
    this.controls.update();
  }

  choose(number) {
    this.chosen = number;
    this.followChosen();
    this.draw();
  }

  showPerson(number, shown) {
    this.people[number].scene.visible = shown;
    this.draw();
  }

  look(view) {
    this.filming = view === "film" && this.camera_.known;
    this.controls.enabled = !this.filming;
    if (this.pyramid) this.pyramid.visible = !this.filming;
    if (this.filming) {
      this.eye.position.set(...this.camera_.place);
      // A camera of three.js looks along -z with y up, one that films along z with y down.
      const turn = new THREE.Matrix4().setFromMatrix3(new THREE.Matrix3().set(...this.camera_.rotation));
      this.eye.quaternion.setFromRotationMatrix(turn.multiply(new THREE.Matrix4().makeScale(1, -1, -1)));
    } else {
      this.controls.target.copy(this.at());
      const away = new THREE.Vector3(...(VIEWS[view] ?? VIEWS.front)).setLength(DISTANCE_M);
      this.eye.position.copy(this.controls.target).add(away);
      this.controls.update();
    }
    this.fit();
  }

  leaveFilm() {
    this.filming = false;
    this.controls.enabled = true;
    this.pyramid.visible = true;
    this.controls.target.copy(this.at());
    this.controls.update();
    this.fit();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    this.renderer.setSize(width, height);
    this.eye.aspect = width / height;
    const { size, focal } = this.camera_;
    const half = Math.max(size[1], size[0] / this.eye.aspect) / 2; // all of the picture is seen
    this.eye.fov = this.filming ? (2 * Math.atan(half / focal) * 180) / Math.PI : FIELD_OF_VIEW;
    this.eye.updateProjectionMatrix();
    this.draw();
  }

  draw() {
    this.renderer.render(this.scene, this.eye);
  }
}

function isWithin(spans, frame) {
  return spans.some(({ from, to }) => from <= frame && frame <= to);
}

// Make a skinned material fainter where the bones that move it are guessed.
function fadeable(material, guessed, count) {
  material.onBeforeCompile = (shader) => {
    shader.uniforms.guessed = guessed;
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", `#include <common>\nuniform float guessed[${count}];\nvarying float vGuessed;`)
      .replace(
        "#include <skinbase_vertex>",
        `#include <skinbase_vertex>
        vGuessed = 0.0;
        for (int i = 0; i < 4; i++) vGuessed += skinWeight[i] * guessed[int(skinIndex[i])];`,
      );
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", "#include <common>\nvarying float vGuessed;")
      .replace("#include <color_fragment>", `#include <color_fragment>\ndiffuseColor.a *= 1.0 - ${1 - GUESSED} * vGuessed;`);
  };
}
