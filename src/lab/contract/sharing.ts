/** @file What `lab` takes and gives of reports: links, files, and what running a report again found. */
import type { ReproducedValue } from '../../report/reproduction/values';
import type { TaskOptions } from '../../task';

export type { ReproducedValue };

/** The author's words of a report. */
export interface ReportWords {
  title?: string;
  notes?: string;
}

export interface ShareOptions extends ReportWords, TaskOptions {
  /** What the link begins with; by default the page's own address. */
  page?: string;
}

/** What of a report may be left out when it is run again. */
export type ReproducedKind = 'scores' | 'width' | 'perplexities' | 'tasks' | 'searches' | 'latencies';

/** One part of a report before it runs here. */
export interface ReproducedPart {
  /** In words: 'Search by SLEB', 'Perplexity of “−1”'. */
  readonly name: string;
  readonly kind: ReproducedKind | 'calibration' | 'variants';
  /** What it will take here, ms, judged by the parts that ran before; null while nothing tells. */
  readonly estimateMs: number | null;
}

export interface ReproduceOptions extends TaskOptions {
  /** Opens a model of the Hub. */
  token?: string | undefined;
  /** Address of another Hub: for tests and mirrors. */
  hub?: string | undefined;
  /** Leaves these out; their values say so. */
  skip?: readonly ReproducedKind[] | undefined;
  /** Searches that would take longer than this here are left out, ms. */
  mostSearchMs?: number | undefined;
  /** Texts that the report's author measured on and gave along: a report holds only their hashes. */
  texts?: readonly string[] | undefined;
  /** Hears each value as soon as it is there. */
  onValue?: ((value: ReproducedValue) => void) | undefined;
  /** Hears each part before it runs. The signal that it may return skips this one part. */
  onPart?: ((part: ReproducedPart) => AbortSignal | undefined) | undefined;
}
