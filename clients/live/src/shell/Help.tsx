import type { ReactNode } from 'react'
import { Button, Dialog, Heading, Modal, ModalOverlay, Switch } from 'react-aria-components'
import { choose, usePreferences } from '../preferences'
import { texts } from '../texts'

const { help: words } = texts

/** Which keys do what; and a way to have them do nothing. */
export function Help({ isOpen, close }: { readonly isOpen: boolean; readonly close: () => void }): ReactNode {
  const { keys } = usePreferences()
  return (
    <ModalOverlay className="overlay" isDismissable isOpen={isOpen} onOpenChange={(stays) => stays || close()}>
      <Modal className="modal">
        <Dialog>
          <Heading slot="title">{words.title}</Heading>
          <dl className="keys">
            {words.keys.map(([key, text]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
          <Switch className="switch" isSelected={keys} onChange={(isOn) => choose({ keys: isOn })}>
            <span className="track" aria-hidden="true" />
            {words.enabled}
          </Switch>
          <p className="quiet">{words.enabledHint}</p>
          <div className="actions">
            <Button className="button" onPress={close}>
              {texts.close}
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
