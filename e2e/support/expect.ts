/**
 * @file Playwright's `expect`, cheaper while it waits. While an assertion does not hold, Playwright describes the page at each try, for the
 * message of a failure; it describes the whole page where the element is absent. That took a sixth of the page's main thread in a test
 * that was traced. The assertions below first wait for their element, and Playwright describes the page only if it does not come.
 */
import { expect as base, type ExpectMatcherState, type Locator, type MatcherReturnType } from '@playwright/test';

interface Waiting {
  readonly timeout?: number;
}

type Assertions = ReturnType<typeof base<Locator>>;

/** Waits for the first element of `locator`, then asserts within what is left of the time. A negated assertion does not wait first. */
async function awaited(
  { isNot, timeout: usual }: ExpectMatcherState,
  locator: Locator,
  state: 'attached' | 'visible',
  options: Waiting | undefined,
  assertion: (expected: Assertions, left: Waiting) => Promise<void>,
): Promise<MatcherReturnType> {
  const timeout = options?.timeout ?? usual;
  const start = Date.now();
  if (!isNot)
    await locator
      .first()
      .waitFor({ state, timeout })
      .catch(() => undefined); // the assertion says what is missing
  const left = { ...options, timeout: Math.max(timeout - (Date.now() - start), 1000) };
  try {
    await assertion(isNot ? base(locator).not : base(locator), left);
    return { pass: !isNot, message: () => '' };
  } catch (thrown) {
    return { pass: isNot, message: () => (thrown as Error).message };
  }
}

type TextOptions = Parameters<Assertions['toHaveText']>[1];
type Text = string | RegExp | readonly (string | RegExp)[];

export const expect = base.extend({
  async toBeVisible(locator: Locator, options?: Waiting & { readonly visible?: boolean }) {
    return awaited(this, locator, 'visible', options, (expected, left) => expected.toBeVisible(left));
  },
  async toHaveText(locator: Locator, text: Text, options?: TextOptions) {
    return awaited(this, locator, 'attached', options, (expected, left) => expected.toHaveText(text, left));
  },
  async toContainText(locator: Locator, text: Text, options?: TextOptions) {
    return awaited(this, locator, 'attached', options, (expected, left) => expected.toContainText(text, left));
  },
});
