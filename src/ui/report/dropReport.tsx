/** @file Opens a report's file that is dropped anywhere on the page, except where another part of it takes files. */
import { useEffect } from 'react';
import { showFile } from './opened';

/** Reports are JSON; other files belong to the places that say what they take. */
const isReportFile = ({ name, type }: File): boolean => type === 'application/json' || /\.json$/i.test(name);

export function DropReport() {
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      if (event.defaultPrevented) return; // a part of the page took it
      event.preventDefault(); // else the browser would leave the page for the file
      const files = [...(event.dataTransfer?.files ?? [])];
      const [file] = files;
      if (file && files.length === 1 && isReportFile(file)) showFile(file);
    };
    window.addEventListener('dragover', over);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('drop', drop);
    };
  }, []);
  return null;
}
