/** @file When a model becomes the one that the next visit opens: with its first result, not before. */
import type { Browser } from '../browser';

export interface Remembering {
  /** A model has opened whose first result is still to come; null: none that the page will open by itself. */
  expect(source: string | null): void;
  /** The first result of the open model is there. */
  firstResult(): void;
}

export function createRemembering(browser: Browser): Remembering {
  let expected: string | null = null;
  return {
    expect(source) {
      expected = source;
    },
    firstResult() {
      if (expected === null) return;
      browser.rememberSource(expected);
      expected = null;
      void browser.openings.ended().then((marks) => browser.openings.settle(marks));
    },
  };
}
