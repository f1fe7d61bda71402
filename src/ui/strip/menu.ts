/**
 * @file The criteria as the page shows them. Names and needs repeat the registry (a test compares the two): importing it
 * would bring every criterion's computation into the page's first script.
 */
import type { Criterion } from '../../importance/types';

export interface MenuItem {
  id: Criterion;
  label: string;
  /** 'gpu': runs the model; 'weights': reads the weights alone; 'nothing'. */
  needs: 'gpu' | 'weights' | 'nothing';
  /** What the number means. */
  meaning: string;
}

export const menu: readonly MenuItem[] = [
  {
    id: 'ppl',
    label: 'Perplexity',
    needs: 'gpu',
    meaning: 'Perplexity of the model without the block. Higher means that the block matters more.',
  },
  {
    id: 'taylor',
    label: 'Taylor',
    needs: 'gpu',
    meaning:
      'How much the loss would change, to first order, if each weight of the block became zero: Σ |weight × gradient|.',
  },
  {
    id: 'block-influence',
    label: 'Block influence',
    needs: 'gpu',
    meaning: 'How much a block rotates the hidden state: 1 − cosine similarity of its input and output.',
  },
  {
    id: 'angular',
    label: 'Angular distance',
    needs: 'gpu',
    meaning: 'Angle between a block’s input and output at the last token, as a share of π.',
  },
  {
    id: 'magnitude',
    label: 'Magnitude',
    needs: 'weights',
    meaning: 'Sum of the absolute weights of the block. Uses no text.',
  },
  {
    id: 'random',
    label: 'Random',
    needs: 'nothing',
    meaning: 'A seeded shuffle, the baseline that every criterion should beat.',
  },
];

/** The menu item of a criterion; a criterion outside the menu is shown by its id. */
export function menuItem(criterion: Criterion): MenuItem {
  return menu.find(({ id }) => id === criterion) ?? { id: criterion, label: criterion, needs: 'gpu', meaning: '' };
}
