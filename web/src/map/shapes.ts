// Small figures on a canvas.

type Context = CanvasRenderingContext2D;

export function hollow(context: Context, x: number, y: number, colour: string, fill: string): void {
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.stroke();
}

export function line(context: Context, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

export function dot(context: Context, x: number, y: number, radius: number, fill: string, halo: string): void {
  context.beginPath();
  context.arc(x, y, radius + 1.5, 0, 2 * Math.PI);
  context.fillStyle = halo;
  context.fill();
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
}

export function square(context: Context, x: number, y: number, radius: number, fill: string): void {
  context.fillStyle = fill;
  context.fillRect(Math.round(x) - radius + 1, Math.round(y) - radius + 1, 2 * radius - 2, 2 * radius - 2);
}

export function ring(context: Context, x: number, y: number, radius: number, colour: string, halo: string): void {
  dot(context, x, y, radius, colour, halo);
  dot(context, x, y, Math.max(1, radius - 4), halo, colour);
}

export function pin(context: Context, x: number, y: number, colour: string, halo: string): void {
  context.beginPath();
  context.moveTo(x, y);
  context.bezierCurveTo(x - 4, y - 9, x - 11, y - 13, x - 11, y - 21);
  context.arc(x, y - 21, 11, Math.PI, 0);
  context.bezierCurveTo(x + 11, y - 13, x + 4, y - 9, x, y);
  context.closePath();
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = halo;
  context.stroke();
  context.fillStyle = colour;
  context.fill();
  context.beginPath();
  context.arc(x, y - 21, 4.2, 0, 2 * Math.PI);
  context.fillStyle = halo;
  context.fill();
}

export function arrow(context: Context, x0: number, y0: number, x1: number, y1: number, colour: string): void {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 30) return;
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  const turn = Math.atan2(y1 - y0, x1 - x0);
  context.save();
  context.translate(x, y);
  context.rotate(turn);
  context.beginPath();
  context.moveTo(6, 0);
  context.lineTo(-4, 4.5);
  context.lineTo(-4, -4.5);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.restore();
}

export function shortened(words: string, most: number): string {
  return words.length <= most ? words : `${words.slice(0, most - 1).trimEnd()}…`;
}
