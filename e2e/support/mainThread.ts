/**
 * @file What the page's main thread did, task by task, from Chromium's own trace.
 *
 * A trace gives a task's duration on the clock and on the CPU. With a software adapter every core is busy with the
 * model, and a task of 2 ms may lie 60 ms because the system let others run: only the CPU time is the page's doing.
 */
import type { Browser, Page } from '@playwright/test';

export interface MainTask {
  /** Time that the thread ran, ms. */
  cpu: number;
  /** Time from begin to end, ms. */
  wall: number;
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

/** Every task of the main threads of renderers while `work` ran, the longest CPU time first. */
export async function mainThreadTasks(browser: Browser, page: Page, work: () => Promise<void>): Promise<MainTask[]> {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', '__metadata'] });
  let trace: Buffer | null = null;
  try {
    await work();
  } finally {
    trace = await browser.stopTracing(); // when the work failed too, or the next test could not trace
  }
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { traceEvents: TraceEvent[] };
  const of = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const main = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(of),
  );
  return traceEvents
    .filter((event) => /RunTask$/.test(event.name) && event.ph === 'X' && main.has(of(event)))
    .map(({ dur = 0, tdur = 0 }) => ({ cpu: tdur / 1000, wall: dur / 1000 }))
    .sort((a, b) => b.cpu - a.cpu);
}
