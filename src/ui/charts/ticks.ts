/** @file Computes the ends and ticks of axes. Pure. */

/** Multiples of a power of ten, coarse to fine; the first set with enough ticks is used. */
const decades: readonly (readonly number[])[] = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];

function multiplesIn(low: number, high: number, multiples: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const multiple of multiples) {
      const tick = Number((multiple * 10 ** power).toPrecision(3));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/**
 * A log axis around positive values: it ends a little beyond the extremes and has three to seven round ticks if the
 * range allows.
 */
export function logAxis(values: readonly number[]): { domain: [number, number]; ticks: number[] } {
  const usable = values.filter((value) => value > 0 && Number.isFinite(value));
  if (usable.length === 0) return { domain: [1, 10], ticks: [1, 10] };
  const least = Math.min(...usable);
  const most = Math.max(...usable);
  const margin = Math.max((most / least) ** 0.08, 1.04);
  const domain: [number, number] = [least / margin, most * margin];
  const candidates = decades.map((multiples) => multiplesIn(domain[0], domain[1], multiples));
  const ticks = candidates.find((set) => set.length >= 3) ?? stepsIn(domain[0], domain[1]);
  return { domain, ticks: thinned(ticks, 7) };
}

/** Equal round steps between two values, for log axes that span less than a factor of three. */
function stepsIn(low: number, high: number): number[] {
  const step = roundStep((high - low) / 5);
  const from = Math.ceil(low / step - 1e-9);
  const to = Math.floor(high / step + 1e-9);
  return Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(10)));
}

/** Every k-th tick, so that at most `most` remain. */
function thinned(ticks: readonly number[], most: number): number[] {
  const step = Math.ceil(ticks.length / most);
  return ticks.filter((_, index) => index % step === 0);
}

/** A linear axis from zero (or below) to a round number, with four to six ticks. */
export function linearAxis(values: readonly number[]): { domain: [number, number]; ticks: number[] } {
  const finite = values.filter(Number.isFinite);
  const most = Math.max(0, ...finite);
  const least = Math.min(0, ...finite);
  const step = roundStep((most - least || 1) / 4);
  const from = Math.floor(least / step + 1e-9);
  const to = Math.max(Math.ceil(most / step - 1e-9), from + 1);
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(10)));
  return { domain: [ticks[0]!, ticks.at(-1)!], ticks };
}

/** The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is at least `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((step) => step >= rough * 0.999)!;
}

/** An axis of kept parameters in percent, from 100 down to a multiple of ten. */
export function keptAxis(kept: readonly number[]): { domain: [number, number]; ticks: number[] } {
  const least = Math.min(100, ...kept);
  const low = Math.max(0, Math.min(80, Math.floor((least - 3) / 10) * 10));
  const step = 100 - low > 60 ? 20 : 100 - low > 30 ? 10 : 5;
  const ticks: number[] = [];
  for (let tick = 100; tick >= low; tick -= step) ticks.push(tick);
  return { domain: [low, 102], ticks };
}
