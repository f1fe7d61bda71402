/**
 * @file Playwright's `expect`, cheaper while it waits. An assertion that does not hold yet describes the page at each try, for the
 * message of a failure: the whole page where its element is not there. That took a tenth of the processor time of these tests. So
 * the assertions below first wait for their element, and describe the page only if it does not come.
 */
import { expect as base, type ExpectMatcherState, type Locator, type MatcherReturnType } from '@playwright/test';

interface Waiting {
  readonly timeout?: number;
}

/** Waits for the first element of `locator`, then asserts within what is left of the time. `not` asserts at once. */
async function awaited(
  { isNot, timeout: usual }: ExpectMatcherState,
  locator: Locator,
  state: 'attached' | 'visible',
  options: Waiting | undefined,
  assertion: (left: Waiting) => Promise<void>,
): Promise<MatcherReturnType> {
  const timeout = options?.timeout ?? usual;
  const start = Date.now();
  if (!isNot)
    await locator
      .first()
      .waitFor({ state, timeout })
      .catch(() => undefined); // the assertion says what is missing
  try {
    await assertion({ ...options, timeout: Math.max(timeout - (Date.now() - start), 1000) });
    return { pass: !isNot, message: () => '' };
  } catch (thrown) {
    return { pass: isNot, message: () => (thrown as Error).message };
  }
}

type TextOptions = Parameters<ReturnType<typeof base<Locator>>['toHaveText']>[1];
type Text = string | RegExp | readonly (string | RegExp)[];

export const expect = base.extend({
  async toBeVisible(locator: Locator, options?: Waiting & { readonly visible?: boolean }) {
    return awaited(this, locator, 'visible', options, (left) => {
      const assertion = base(locator);
      return (this.isNot ? assertion.not : assertion).toBeVisible(left);
    });
  },
  async toHaveText(locator: Locator, text: Text, options?: TextOptions) {
    return awaited(this, locator, 'attached', options, (left) => {
      const assertion = base(locator);
      return (this.isNot ? assertion.not : assertion).toHaveText(text, left);
    });
  },
  async toContainText(locator: Locator, text: Text, options?: TextOptions) {
    return awaited(this, locator, 'attached', options, (left) => {
      const assertion = base(locator);
      return (this.isNot ? assertion.not : assertion).toContainText(text, left);
    });
  },
});
