import type { UsherClient } from '@usher/client'
import { useClient, useConnection, useNotifications, UsherProvider } from '@usher/client/react'
import NetInfo from '@react-native-community/netinfo'
import * as SecureStore from 'expo-secure-store'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { AppState, FlatList, Text } from 'react-native'
import { Session } from './session'
import { createUsher, phone } from './usher'

const URL = 'https://usher.example.com'
const session = new Session(URL, SecureStore)
const newClient = (): UsherClient => createUsher(URL, session, phone(AppState, NetInfo))

const WORDS: Readonly<Record<string, string>> = {
  idle: '',
  connecting: 'Connecting',
  catching_up: 'Catching up',
  live: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'No network',
  paused: 'Paused',
  expired: 'Please log in again',
  forbidden: 'You may not watch this tenant',
  closed: 'Closed',
}

function SignUps(): ReactNode {
  const { users, hasMore, feed } = useNotifications()
  return (
    <FlatList
      data={users}
      keyExtractor={(user) => user.id}
      onEndReached={() => void (hasMore && feed.fetchMore())}
      renderItem={({ item }) => <Text>{`${item.full_name ?? item.username}  ${item.email ?? ''}`}</Text>}
    />
  )
}

/** The list once the server has let somebody in; nothing of it from the end of a log-in to the next one. */
function Screen({ logIn }: { logIn: () => void }): ReactNode {
  const { status } = useConnection()
  const { viewer } = useClient()
  const isOver = status === 'expired' // also where nobody has logged in yet; without a network it is tried again
  useEffect(() => {
    if (isOver) logIn()
  }, [isOver, logIn])
  return (
    <>
      <Text accessibilityLiveRegion="polite">{WORDS[status]}</Text>
      {viewer && !isOver ? <SignUps /> : null}
    </>
  )
}

interface AppProps {
  /** Shows the app's own form, and resolves when it has called `session.logIn`, and that went well. */
  readonly logIn: (session: Session) => Promise<void>
  readonly create?: () => UsherClient
}

export function App({ logIn, create = newClient }: AppProps): ReactNode {
  const [client, setClient] = useState(create)
  const asking = useRef<Promise<void> | undefined>(undefined)
  const logInOnce = (): void => {
    asking.current ??= logIn(session)
      .then(() => setClient(create())) // another one: it may be somebody else
      .finally(() => (asking.current = undefined))
  }
  return (
    <UsherProvider client={client}>
      <Screen logIn={logInOnce} />
    </UsherProvider>
  )
}
