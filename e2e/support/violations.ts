/** @file What a browser says of the page's security policy. */
import type { Page } from '@playwright/test';

/** Collects what the policy stops from now on, in the page and in its workers. */
export async function violations(page: Page): Promise<string[]> {
  const said: string[] = [];
  const about = /content security policy|trusted ?type|violates|refused to/i;
  page.on('console', (message) => {
    if (about.test(message.text())) said.push(message.text());
  });
  await page.exposeFunction('violated', (text: string) => void said.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
      const { violated } = window as unknown as { violated: (text: string) => void };
      violated(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });
  return said;
}
