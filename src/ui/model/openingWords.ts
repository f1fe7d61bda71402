/** @file Describes how a visit ended while a model was opening; states only what is known. Pure. */
import type { EndedOpening } from '../../lab/page/store';

export interface OpeningWords {
  title: string;
  /** The known cause. */
  cause: string;
}

const reached: Readonly<Record<EndedOpening['stage'], string>> = {
  loading: 'the page was downloading, checking or reading its files',
  measuring: 'the model was loaded, and the page was measuring its first numbers',
  more: 'the first perplexity was shown, and the page was measuring more or generating text',
};

/** `name`: the model's display name. */
export function howItEnded({ left, stage, times, settled }: EndedOpening, name: string): OpeningWords {
  const before = times > 1 ? ` This happened ${times} times in a row.` : '';
  const end = left
    ? 'The page was closed or reloaded during that.'
    : 'The cause is unknown: the tab or the browser crashed or was closed by the system, perhaps because memory ran out.';
  return {
    title: `${settled ? 'An earlier' : 'The last'} visit ended while ${name} was opening`,
    cause: `${sentence(reached[stage])}. ${end}${before}`,
  };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
