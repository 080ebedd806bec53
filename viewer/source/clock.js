// One time for everything. Where there is a video it leads while playing; its frames and the body's are the same.

export class Clock {
  constructor(frames, fps, video) {
    Object.assign(this, { frames, fps, video, frame: 0, playing: false, speed: 1 });
    this.onframe = () => {};
    this.onplaying = () => {};
    this.leads = false;
    if (!video) return;
    video.addEventListener("loadeddata", () => {
      this.leads = true;
      this.seek(this.frame);
    });
    video.addEventListener("error", () => {
      this.leads = false;
      video.closest("figure")?.classList.add("absent");
    });
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.frame >= this.frames - 1) this.seek(0);
    this.playing = true;
    this.from = { frame: this.frame, at: performance.now() };
    if (this.leads) {
      this.video.playbackRate = this.speed;
      this.video.play().catch(() => this.pause());
    }
    this.onplaying(true);
    requestAnimationFrame(() => this.tick());
  }

  pause() {
    this.playing = false;
    if (this.leads) this.video.pause();
    this.onplaying(false);
    this.seek(this.frame);
  }

  tick() {
    if (!this.playing) return;
    const passed = this.leads
      ? this.video.currentTime * this.fps
      : this.from.frame + ((performance.now() - this.from.at) / 1000) * this.fps * this.speed;
    const frame = Math.min(Math.max(Math.floor(passed + 1e-3), 0), this.frames - 1);
    if (frame !== this.frame) this.tell(frame);
    if (frame >= this.frames - 1 || (this.leads && this.video.ended)) {
      this.tell(this.frames - 1);
      this.pause();
    } else requestAnimationFrame(() => this.tick());
  }

  seek(frame) {
    const within = Math.min(Math.max(Math.round(frame), 0), this.frames - 1);
    // The middle of the frame: at its very edge browsers show either neighbour.
    if (this.leads) this.video.currentTime = (within + 0.5) / this.fps;
    this.from = { frame: within, at: performance.now() };
    this.tell(within);
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.leads) this.video.playbackRate = speed;
    this.from = { frame: this.frame, at: performance.now() };
  }

  tell(frame) {
    this.frame = frame;
    this.onframe(frame);
  }
}
