/** @file Mounts the page and starts the laboratory. */
import './trusted';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { hasReport } from './lab/page/address';
import { commands, lab } from './lab/page/app';
import { hostBrowser, startHost } from './site/host';
import { isEmbedded } from './site/isolate';
import { FramedPage } from './ui/framedPage';
import { Page } from './ui/page';
import { ReportPage } from './ui/report/reportPage';

declare global {
  interface Window {
    /** The laboratory, for the console and for scripts: the same object that the page uses. */
    lab: typeof lab;
  }
}

window.lab = lab;
const shared = hasReport(location);
const browser = hostBrowser();
// Another site's frame may show a report, and nothing that could be clicked or typed into unknowingly. Only headers could
// forbid frames, and not every host sends them.
const refused = browser.framed && !(shared && isEmbedded(location.href));
const page = refused ? <FramedPage /> : shared ? <ReportPage /> : <Page />;
createRoot(document.getElementById('page')!).render(<StrictMode>{page}</StrictMode>);
// The server of a developer rewrites its files all the time.
const settled = import.meta.env.PROD ? startHost(browser, { mayReload: !shared }) : Promise.resolve();
if (!shared && !refused) void settled.then(commands.boot);
