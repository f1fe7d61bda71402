/** @file The header above a report: the program's name, and the way to the laboratory. */
import { ThemeToggle } from '../header/themeToggle';
import { Icon } from '../parts/icons';
import { PresentButton } from '../present/presentButton';
import { showLaboratory } from './opened';

export function ReportHeader() {
  return (
    <header className="header report-header">
      <div className="header-row">
        <div className="brand">
          <Icon name="secateurs" />
          <h1>
            Secateur <span className="soft">report</span>
          </h1>
        </div>
        <span className="spring" />
        <button type="button" className="button small" onClick={showLaboratory}>
          Laboratory
        </button>
        <PresentButton link={location.href} />
        <ThemeToggle />
      </div>
    </header>
  );
}
