"use strict";
/* Point clouds that turn by themselves and by hand, and play by a slider. Plain 2D canvas, points drawn far to near by
   a depth buffer. Camera axes: x right, y down, z away; the clouds turn about the point that the camera looks at. */

const TURN = 0.25; /* radians a second */
const SWING = 0.6; /* radians to either side: from behind there is nothing to see */
const CLOSER = 1.25; /* than the camera, so that the turned scene fills its frame */

function unpack(text, shape) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const points = shape.frames * shape.width * shape.height;
  return { depth: new Uint16Array(bytes.buffer, 0, points), colour: bytes.subarray(2 * points) };
}

function draw(canvas, cloud, shape, frame, turn, tilt) {
  const pen = canvas.getContext("2d"), size = canvas.width;
  const picture = pen.createImageData(size, size), pixels = new Uint32Array(picture.data.buffer);
  const nearest = new Float32Array(size * size).fill(Infinity);
  const { width, height, focal, distance, far } = shape;
  const zoom = (CLOSER * focal / height) * size, [c, s, d, e] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  const start = frame * width * height;
  for (let i = 0; i < width * height; i++) {
    const level = cloud.depth[start + i];
    if (!level) continue;
    const away = level / 65535 * far;
    const x = (i % width - (width - 1) / 2) / focal * away;
    const y = (Math.floor(i / width) - (height - 1) / 2) / focal * away;
    const across = c * x + s * (away - distance), ahead = c * (away - distance) - s * x;
    const z = d * ahead - e * y + distance, down = d * y + e * ahead;
    if (z < 0.1) continue;
    const reach = Math.max(1, Math.ceil(zoom / focal * away / z)); /* of a point, so that a surface closes */
    const left = Math.round(size / 2 + across / z * zoom - reach / 2), top = Math.round(size / 2 + down / z * zoom - reach / 2);
    const from = 3 * (start + i);
    const ink = 0xff000000 | cloud.colour[from + 2] << 16 | cloud.colour[from + 1] << 8 | cloud.colour[from];
    for (let v = Math.max(0, top); v < Math.min(size, top + reach); v++) {
      for (let u = Math.max(0, left); u < Math.min(size, left + reach); u++) {
        if (z < nearest[v * size + u]) { nearest[v * size + u] = z; pixels[v * size + u] = ink; }
      }
    }
  }
  pen.putImageData(picture, 0, 0);
}

function start(figure) {
  const shape = JSON.parse(figure.dataset.layout);
  const canvases = [...figure.querySelectorAll("canvas")];
  const clouds = canvases.map((canvas) => unpack(canvas.dataset.points, shape));
  const slider = figure.querySelector("input"), shown = figure.querySelector("output");
  const [play, spin] = figure.querySelectorAll("button");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const state = { playing: !still, turning: !still, phase: 0, turn: 0, tilt: 0.12, visible: false, asked: false, last: 0, waited: 0 };

  function paint() {
    canvases.forEach((canvas, i) => draw(canvas, clouds[i], shape, Number(slider.value), state.turn, state.tilt));
    shown.textContent = (slider.value * shape.milliseconds / 1000).toFixed(2) + " s";
  }
  function label() {
    play.textContent = state.playing ? "Pause" : "Play";
    spin.textContent = state.turning ? "Stop turning" : "Turn";
  }
  function step(now) {
    const passed = Math.max(0, Math.min(100, now - state.last));
    state.asked = false;
    state.last = now;
    if (state.turning) {
      state.phase += TURN * passed / 1000 / SWING;
      state.turn = SWING * Math.sin(state.phase);
    }
    if (state.playing) {
      state.waited += passed;
      const hold = Number(slider.value) === shape.frames - 1 ? 700 : 2 * shape.milliseconds; /* half the world's speed */
      if (state.waited >= hold) {
        state.waited = 0;
        slider.value = (Number(slider.value) + 1) % shape.frames;
      }
    }
    paint();
    wake();
  }
  function wake() {
    if (state.asked || !state.visible || !(state.playing || state.turning)) return;
    state.asked = true;
    requestAnimationFrame(step);
  }
  function move(turn, tilt) {
    state.turning = false;
    state.turn += turn;
    state.tilt = Math.max(-1.2, Math.min(1.2, state.tilt + tilt));
    label();
    paint();
  }

  slider.addEventListener("input", () => { state.playing = false; label(); paint(); });
  for (const [button, key] of [[play, "playing"], [spin, "turning"]]) {
    button.addEventListener("click", () => {
      state[key] = !state[key];
      if (key === "turning" && state.turning) state.phase = Math.asin(Math.max(-1, Math.min(1, state.turn / SWING)));
      label();
      wake();
    });
  }
  for (const canvas of canvases) {
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) move(event.movementX / 120, event.movementY / 120);
    });
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
      if (by) { event.preventDefault(); move(...by); }
    });
  }
  new IntersectionObserver(([entry]) => {
    state.visible = entry.isIntersecting;
    wake();
  }).observe(figure);
  label();
  paint();
}

for (const figure of document.querySelectorAll(".cloud")) start(figure);
