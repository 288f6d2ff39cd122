/** One animation frame for everything that has to be drawn: no chart is ever a frame behind another. */
const draws = new Map<object, () => void>();
const afterPaint: ((now: number) => void)[] = [];
let asked = false;
const NO_FRAME_MS = 300;

/** Draws in the next frame; a later wish of the same owner replaces an earlier one. */
export function drawSoon(owner: object, draw: () => void): void {
  draws.set(owner, draw);
  ask();
}

export function forget(owner: object): void {
  draws.delete(owner);
}

/**
 * Calls back once the next frame, with all drawing asked for until then, has been handed to the screen; or, where the browser
 * makes no frames (a tab in the background), a little later.
 */
export function oncePainted(callback: (now: number) => void): void {
  afterPaint.push(callback);
  ask();
}

function ask(): void {
  if (asked) return;
  asked = true;
  const late = setTimeout(tell, NO_FRAME_MS);
  requestAnimationFrame(() => {
    clearTimeout(late);
    asked = false;
    const todo = [...draws.values()];
    draws.clear();
    for (const draw of todo) draw();
    if (afterPaint.length === 0) return;
    // A message posted from within a frame is delivered after that frame has been painted.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      tell();
      channel.port1.close();
    };
    channel.port2.postMessage(null);
  });
}

function tell(): void {
  const now = performance.now();
  for (const callback of afterPaint.splice(0)) callback(now);
}
