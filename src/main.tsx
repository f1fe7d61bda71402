/** @file Mounts the page and starts the laboratory. */
import './trusted';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { hasReport } from './lab/page/address';
import { commands, lab } from './lab/page/app';
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
createRoot(document.getElementById('page')!).render(<StrictMode>{shared ? <ReportPage /> : <Page />}</StrictMode>);
if (!shared) void commands.boot();
