/** @file A curve with few enough points to be sent and drawn again and again. */

const mostPoints = 500;

/** Every n-th point counted from the newest, which is always there, and the first one; at most `most` in all. */
export function thinned<T>(points: readonly T[], most = mostPoints): T[] {
  if (points.length <= most) return [...points];
  const stride = Math.ceil((points.length - 1) / (most - 1));
  const last = points.length - 1;
  return points.filter((_, index) => index === 0 || (last - index) % stride === 0).slice(-most);
}
