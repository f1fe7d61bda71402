/** @file What `lab` takes and gives of reports: links, files, and what running a report again found. */
import type { TaskOptions } from '../../task';

/** The author's words of a report. */
export interface ReportWords {
  title?: string;
  notes?: string;
}

export interface ShareOptions extends ReportWords, TaskOptions {
  /** What the link begins with; by default the page's own address. */
  page?: string;
}

export interface ReproduceOptions extends TaskOptions {
  /** Opens a model of the Hub. */
  token?: string;
  /** Address of another Hub: for tests and mirrors. */
  hub?: string;
}

/** One number of a report beside the same number measured here. */
export interface ReproducedValue {
  /** Which number it is, in words: 'Perplexity of “−1” (wgsl)'. */
  value: string;
  kind: 'score' | 'perplexity' | 'latency';
  /** Id of the variant in the report; null for a criterion's scores. */
  variant: string | null;
  reported: number;
  /** Null where it could not be measured here: `why` says the reason. */
  here: number | null;
  /** |here − reported| / |reported|; of a criterion's scores the largest over its units. Null without `here`. */
  deviation: number | null;
  /** Whether the deviation is within what other hardware and the digits of a link explain; null for times, which belong to their device. */
  agrees: boolean | null;
  why?: string;
}
