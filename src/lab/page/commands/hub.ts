/** @file Which Hub the page's address names: every request of the page that may go to a Hub goes to that one. */
import { hubEndpoint } from '../../../shards/sources/hubRepository';
import { type HubChoice, hubOfAddress } from '../../contract/hubChoice';
import type { Browser } from '../browser';

/** The Hub that the page's address names, and which addresses are refused. */
export function hubChoice(browser: Browser): HubChoice {
  const { search, hostname } = browser.address();
  return hubOfAddress(search, hostname);
}

/** The same as an option of `lab`'s methods. */
export function hubOverride(browser: Browser): { hub?: string } {
  const { hub } = hubChoice(browser);
  return hub === null ? {} : { hub };
}

/** Where sources that are names are looked up. */
export function endpointOf(browser: Browser): string {
  return hubChoice(browser).hub ?? hubEndpoint;
}
