/** @file A machine with a clock that tests turn: sessions whose forward passes take a known time. */
import { vi } from 'vitest';
import { LabError } from '../../errors';
import type { KvCache } from '../cache';
import type { WithSession } from '../rounds';
import type { Forward, OrtSession } from '../session';

export const fakeVocabulary = 5;

export class FakeMachine {
  /** ms. `performance.now()` gives it once `start` was called. */
  now = 0;
  /** How many times as long everything takes at a time. */
  slowness: (now: number) => number = () => 1;
  /** What ran, in order. */
  log: string[] = [];
  #open = 0;

  /** Puts the machine's clock in place of the real one, until vitest restores its mocks. */
  start(): void {
    vi.spyOn(performance, 'now').mockImplementation(() => this.now);
  }

  /** A session whose forward passes take `cost` ms each and whose logits all have one value. */
  session(name: string, cost: number, logit = 1): OrtSession {
    const forward: Forward = async ({ rows }) => {
      this.now += cost * this.slowness(this.now);
      return new Float32Array(rows.length * fakeVocabulary).fill(logit);
    };
    const dispose = () => this.log.push(`${name} cache gone`);
    const cache = { batch: 1, bytes: 8, reset: () => undefined, dispose };
    return {
      shape: { vocab: fakeVocabulary, layers: [{ heads: 1 }] },
      runtime: 'ort-wasm',
      device: { adapter: 'CPU', software: false, runtime: 'fake' },
      graph: { report: { precision: 'f32', widenedBytes: 0, weightBytes: 100 } },
      forward,
      exclusively: (job: (forward: Forward) => Promise<unknown>) => {
        this.log.push(name);
        return job(forward);
      },
      openCache: () => cache as unknown as KvCache,
      release: async () => undefined,
    } as unknown as OrtSession;
  }

  /** Has the session open beside any others. */
  having(session: OrtSession): WithSession {
    return (work) => work(session);
  }

  /** Has the session open if no other one is: memory is for one. */
  alone(session: OrtSession): WithSession {
    return async (work) => {
      if (this.#open > 0) throw new LabError('out-of-memory', 'no room for a second session', '');
      this.#open += 1;
      try {
        return await work(session);
      } finally {
        this.#open -= 1;
      }
    };
  }

  /** The sessions that ran, in order, without their caches. */
  get runs(): string {
    return this.log.filter((entry) => !entry.includes('cache')).join('');
  }
}
