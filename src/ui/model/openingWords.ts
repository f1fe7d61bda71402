/** @file How a visit ended while a model was opening, in words: what is known, and no more. Pure. */
import type { EndedOpening } from '../../lab/page/store';

export interface OpeningWords {
  title: string;
  /** What is known of the end. */
  cause: string;
}

const reached: Readonly<Record<EndedOpening['stage'], string>> = {
  loading: 'its files were being fetched, checked or read',
  measuring: 'it was loaded, and its first numbers were being measured',
  more: 'it had shown its first perplexity, and the page was measuring and writing more',
};

/** `name`: what people call the model. */
export function howItEnded({ left, stage, times, settled }: EndedOpening, name: string): OpeningWords {
  const before = times > 1 ? ` This happened ${times} times in a row.` : '';
  const end = left
    ? 'The page was closed or reloaded meanwhile.'
    : 'The page had no time to say why: the tab or the browser crashed or was ended, perhaps because memory ran out.';
  return {
    title: `${settled ? 'An earlier' : 'The last'} visit ended while ${name} was opening`,
    cause: `${sentence(reached[stage])}. ${end}${before}`,
  };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
