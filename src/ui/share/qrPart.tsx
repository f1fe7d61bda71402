/** @file The QR code of a link: small in the dialog, on the whole screen for a classroom, and as a file. */
import { useCallback, useState } from 'react';
import { commands } from '../../lab/page/app';
import { qrCharacters, type Shareable } from '../../report/link/share';
import { integer } from '../parts/format';
import { Icon } from '../parts/icons';
import { qrDrawing, qrModules, qrSvg } from './qr';
import { QrCode } from './qrCode';
import { QrScreen } from './qrScreen';

export function QrPart({ link: { url, characters } }: { link: Shareable }) {
  const [large, setLarge] = useState(false);
  const close = useCallback(() => setLarge(false), []);
  if (characters > qrCharacters) {
    return (
      <p className="hint">
        QR codes are for links of at most {integer(qrCharacters)} characters: phones cannot read longer ones from a
        projector. Shorter notes and fewer variants make the link shorter.
      </p>
    );
  }
  const download = (): void => {
    const svg = qrSvg(qrDrawing(qrModules(url)));
    commands.saveReport(new File([svg], 'secateur-report-qr.svg', { type: 'image/svg+xml' }));
  };
  return (
    <div className="share-qr">
      <QrCode text={url} label="QR code of the link" />
      <div>
        <p className="hint">A phone that scans this code opens the report.</p>
        <div className="note-actions">
          <button type="button" className="button" onClick={() => setLarge(true)}>
            <Icon name="expand" /> Full screen
          </button>
          <button type="button" className="button" onClick={download}>
            <Icon name="download" /> QR code as SVG
          </button>
        </div>
      </div>
      {large && <QrScreen url={url} onClose={close} />}
    </div>
  );
}
