/** @file The page's header: its name, the open model, the calibration tokens, the device. */
import { provenance } from '../corpora/describe';
import { shortSource } from '../model/facts';
import { plural, quantity } from '../parts/format';
import { Icon } from '../parts/icons';
import { useLab } from '../parts/useLab';
import { PresentButton } from '../present/presentButton';
import { ShareButton } from '../share/shareButton';
import { DeviceLine } from './deviceLine';
import { SiteLine } from './siteLine';
import { ThemeToggle } from './themeToggle';

export function Header() {
  const model = useLab((state) => state.model);
  const calibration = useLab((state) => state.calibration);
  return (
    <header className="header">
      <div className="header-row">
        <div className="brand">
          <Icon name="secateurs" />
          <h1>Secateur</h1>
        </div>
        <div className="chips">
          {model && (
            <span className="chip">
              <b title={model.source}>{model.card?.title ?? shortSource(model.source)}</b> ·{' '}
              {plural(model.shape.layers.length, 'block')} · {quantity(model.parameters)} parameters
            </span>
          )}
          {calibration && (
            <span className="chip" title={provenance(calibration)}>
              calibrated on{' '}
              <b>
                {calibration.samples} × {calibration.seqLen}
              </b>{' '}
              tokens
            </span>
          )}
        </div>
        <PresentButton />
        <ShareButton />
        <ThemeToggle />
      </div>
      <DeviceLine />
      <SiteLine />
    </header>
  );
}
