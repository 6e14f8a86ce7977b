import { useEffect, useRef, type ReactNode } from 'react'
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { useConnection } from '@usher/client/react'
import { plain } from '../plain'
import { texts } from '../texts'
import { SignInForm } from './SignInForm'
import { useSession } from './useSession'
import type { Me } from './web'

export interface SignInAgainProps {
  readonly me: Me
  readonly tenant: { readonly slug: string; readonly name: string }
}

/** The session has ended under somebody: the way back to where he was. */
export function SignInAgain({ me, tenant }: SignInAgainProps): ReactNode {
  const { session, state } = useSession()
  const { reconnectNow } = useConnection()
  const signIns = state.status === 'signed_in' ? state.signIns : 0
  const before = useRef(signIns)
  // Whichever tab it happened in.
  useEffect(() => {
    if (signIns > before.current) reconnectNow()
    before.current = signIns
  }, [signIns, reconnectNow])
  const text = texts.expired.text(plain(me.username), plain(tenant.name))
  return (
    <ModalOverlay className="overlay" isOpen isKeyboardDismissDisabled>
      <Modal className="modal">
        <Dialog>
          <Heading slot="title">{texts.expired.title}</Heading>
          <p role="alert">{text}</p>
          <SignInForm as={{ tenant: tenant.slug, username: me.username }} />
          <Button className="button plain wide" onPress={() => void session.signOut()}>
            {texts.expired.other}
          </Button>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
