/** @file What the page's address names: a report that is only shown, or the laboratory. */
import { namesReport } from '../../report/link/fragment';

/** A report's link keeps its content behind '#', which no server sees. Mail programs may have turned that into '%23'. */
export function hasReport(address: Pick<URL, 'href'>): boolean {
  return namesReport(address.href);
}

/** The page's own address, without query and fragment: what the link of a report begins with. */
export function pageAddress({ origin, pathname }: Pick<URL, 'origin' | 'pathname'>): string {
  return `${origin}${pathname}`;
}
