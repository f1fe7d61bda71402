/** @file Memory of a browser's processes, by what they do, on Linux. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Bytes that a process has for itself in RAM, without what it maps from files. */
function anonymous(pid: number): number {
  try {
    const line = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line ? Number(line[1]) * 1024 : 0;
  } catch {
    return 0; // it has ended
  }
}

/** Processes whose command names `mark`, and all that they have started. */
function processes(mark: string): { pid: number; type: string }[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n');
  const all = lines.flatMap((line) => {
    const parsed = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return parsed ? [{ pid: Number(parsed[1]), parent: Number(parsed[2]), command: parsed[3]! }] : [];
  });
  const own = new Set(all.filter(({ command }) => command.includes(mark)).map(({ pid }) => pid));
  for (let found = -1; found !== own.size; ) {
    found = own.size;
    for (const { pid, parent } of all) if (own.has(parent)) own.add(pid);
  }
  return all
    .filter(({ pid }) => own.has(pid))
    .map(({ pid, command }) => ({ pid, type: / --type=([\w-]+)/.exec(command)?.[1] ?? 'browser' }));
}

export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Watches the memory of the processes whose command names `mark` until it is stopped. */
export class MemoryWatch {
  #peaks: Record<string, number> = {};
  readonly #mark: string;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(mark: string) {
    this.#mark = mark;
    this.#timer = setInterval(() => this.look(), 500);
  }

  look(): void {
    const now: Record<string, number> = {};
    for (const { pid, type } of processes(this.#mark)) now[type] = (now[type] ?? 0) + anonymous(pid);
    now['all'] = Object.values(now).reduce((a, b) => a + b, 0);
    for (const [type, bytes] of Object.entries(now)) this.#peaks[type] = Math.max(this.#peaks[type] ?? 0, bytes);
  }

  /** Largest memory of each kind of process since the last call, bytes. */
  peaks(): Record<string, number> {
    this.look();
    const peaks = this.#peaks;
    this.#peaks = {};
    return peaks;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
