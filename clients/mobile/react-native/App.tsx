import { useConnection, useNotifications, UsherProvider } from '@usher/client/react'
import NetInfo from '@react-native-community/netinfo'
import * as SecureStore from 'expo-secure-store'
import { useEffect, useState, type ReactNode } from 'react'
import { AppState, FlatList, Text } from 'react-native'
import { Session } from './session'
import { createUsher, phone } from './usher'

const URL = 'https://usher.example.com'
const session = new Session(URL, SecureStore)
const client = createUsher(URL, session, phone(AppState, NetInfo))

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
  const { status } = useConnection()
  const { users, hasMore, feed } = useNotifications()
  return (
    <>
      <Text accessibilityLiveRegion="polite">{WORDS[status]}</Text>
      <FlatList
        data={users}
        keyExtractor={(user) => user.id}
        onEndReached={() => void (hasMore && feed.fetchMore())}
        renderItem={({ item }) => <Text>{`${item.full_name ?? item.username}  ${item.email ?? ''}`}</Text>}
      />
    </>
  )
}

/** `logIn` shows the app's own form, and resolves when it has called `session.logIn`. */
export function App({ logIn }: { logIn: (session: Session) => Promise<void> }): ReactNode {
  const [isLoggedIn, setLoggedIn] = useState(false)
  useEffect(() => {
    session.token().then(
      () => setLoggedIn(true),
      () => void logIn(session).then(() => setLoggedIn(true)),
    )
  }, [logIn])
  return (
    <UsherProvider client={client} enabled={isLoggedIn}>
      <SignUps />
    </UsherProvider>
  )
}
