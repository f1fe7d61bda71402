/** @file Mounts the page and starts the laboratory. */
import './trusted';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { hasReport } from './lab/page/address';
import { lab } from './lab/page/app';
import { hostBrowser, startHost } from './site/host';
import { isEmbedded } from './site/isolate';
import { FramedPage } from './ui/framedPage';
import { Root } from './ui/root';

declare global {
  interface Window {
    /** The laboratory, for the console and for scripts: the same object that the page uses. */
    lab: typeof lab;
  }
}

window.lab = lab;
const browser = hostBrowser();
const shared = hasReport(location);
// The server of a developer rewrites its files all the time.
const settled = import.meta.env.PROD ? startHost(browser, { mayReload: !shared }) : Promise.resolve();
// Another site's frame may show a report, and nothing that could be clicked or typed into unknowingly. Only headers could
// forbid frames, and not every host sends them.
const isRefused = browser.framed && !(shared && isEmbedded(location.href));
createRoot(document.getElementById('page')!).render(
  <StrictMode>{isRefused ? <FramedPage /> : <Root settled={settled} />}</StrictMode>,
);
