/**
 * @file What the benches share: a device, synthetic models, and races, in which the rivals alternate.
 *
 * Taking turns makes a ratio hold on a busy machine too: what slows one down slows the other. Absolute times hold only
 * on a named GPU with nothing beside (RESULTS.md).
 */
import { type GpuContext, openDevice } from '../src/engine/gpu/device';
import { openTestDevice, testGpu } from '../src/engine/testing/harness';
import { OrtDevice } from '../src/lab/worker/ortDevice';
import type { ModelShape } from '../src/model/shape';
import { createRandom, randomInt } from '../src/numerics/random';

export function describeAdapter({ info }: GpuContext): string {
  return `adapter: ${info.adapter}${info.software ? ' (software: ratios only)' : ''}`;
}

/** Runs a bench on the best adapter that there is, and says which. */
export async function onTestDevice(bench: (context: GpuContext) => Promise<void>): Promise<void> {
  const context = await openTestDevice();
  console.log(describeAdapter(context));
  try {
    await bench(context);
  } finally {
    context.device.destroy();
  }
}

/** The device for ONNX Runtime's sessions: another one where the engine's has subgroups that they are wrong on. */
export async function besideEngine(context: GpuContext): Promise<GpuContext> {
  const gpu = await testGpu();
  return new OrtDevice((feature) => openDevice(gpu, { without: [feature] })).context(context);
}

/** A result is checked before it is timed. */
export function assertNear(what: string, got: number, expected: number, tolerance: number): void {
  if (Math.abs(got - expected) <= tolerance) return;
  throw new Error(`${what}: expected ${expected} within ${tolerance}, got ${got}. A wrong result is not timed.`);
}

/** The demo's proportions on a software adapter; blocks of a 1B model where there is a GPU. */
export function shapeOf({ info }: GpuContext, layers: number): ModelShape {
  const block = info.software
    ? { heads: 8, kvHeads: 4, headDim: 16, ffn: 352 }
    : { heads: 32, kvHeads: 8, headDim: 64, ffn: 5632 };
  return {
    family: 'llama',
    vocab: info.software ? 1792 : 32000,
    hidden: info.software ? 128 : 2048,
    layers: Array.from({ length: layers }, (_, source) => ({ source, ...block })),
    normEps: 1e-5,
    ropeTheta: 10000,
    maxPositions: 512,
    tiedHead: true,
  };
}

/** Sequences of random tokens. */
export function sequencesFor(shape: ModelShape, samples: number, seqLen = 128): number[][] {
  const random = createRandom(7);
  return Array.from({ length: samples }, () => Array.from({ length: seqLen }, () => randomInt(random, shape.vocab)));
}

/** Milliseconds of one turn: by the clock, and of all cores that this process kept busy. */
interface Turn {
  readonly wall: number;
  readonly cpu: number;
}

/** The turns of each rival; they count by their sums, since all rivals share what else the machine does. */
export class Race<K extends string> {
  readonly #turns: Readonly<Record<K, readonly Turn[]>>;

  constructor(turns: Readonly<Record<K, readonly Turn[]>>) {
    this.#turns = turns;
  }

  /** Mean milliseconds of a turn by the clock. */
  mean(rival: K): number {
    return this.#sum(rival, 'wall') / this.#turns[rival].length;
  }

  /** a's time by b's. */
  ratio(a: K, b: K): number {
    return this.#sum(a, 'wall') / this.#sum(b, 'wall');
  }

  /** '4.05 (by CPU time 3.98)': the second says what the work alone costs where the adapter is this process's own CPU. */
  text(a: K, b: K): string {
    const cpu = this.#sum(a, 'cpu') / this.#sum(b, 'cpu');
    return `${this.ratio(a, b).toFixed(2)} (by CPU time ${cpu.toFixed(2)})`;
  }

  #sum(rival: K, clock: keyof Turn): number {
    return this.#turns[rival].reduce((sum, turn) => sum + turn[clock], 0);
  }
}

/** Times the rivals alternately after one turn that warms up. */
export async function race<K extends string>(
  rivals: Readonly<Record<K, () => Promise<unknown>>>,
  rounds: number,
): Promise<Race<K>> {
  const names = Object.keys(rivals) as K[];
  const turns = Object.fromEntries(names.map((name) => [name, [] as Turn[]])) as Record<K, Turn[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await rivals[name]();
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) turns[name].push({ wall, cpu: (user + system) / 1000 });
    }
  }
  return new Race(turns);
}

/** How a ratio stands to its goal. */
export function verdict(value: number, goal: { atLeast: number } | { atMost: number }): string {
  const [met, text] =
    'atLeast' in goal ? [value >= goal.atLeast, `≥ ${goal.atLeast}`] : [value <= goal.atMost, `≤ ${goal.atMost}`];
  return `${met ? 'meets' : 'MISSES'} the goal ${text}`;
}
