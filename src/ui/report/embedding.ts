/** @file The compact view for frames of other pages: `?embed` in the address of a report. Pure. */

export const embedViews = ['quality', 'latency', 'tasks', 'scores'] as const;
/** The chart that the compact view shows. */
export type EmbedView = (typeof embedViews)[number];

/** The chart that an address asks for; null where it asks for the whole report. Without a known name the first one. */
export function embedOf(search: string): EmbedView | null {
  const asked = new URLSearchParams(search).get('embed');
  return asked === null ? null : (embedViews.find((view) => view === asked) ?? embedViews[0]);
}

/** The address of the same report as a whole. */
export function wholeAddress(address: string): string {
  const url = new URL(address);
  url.searchParams.delete('embed');
  return url.href;
}
