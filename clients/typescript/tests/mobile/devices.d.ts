/** As much of what a phone brings as clients/mobile/react-native uses, so that it can be checked without React Native. */
declare module 'react-native' {
  import type { ReactNode } from 'react'

  export const AppState: {
    readonly currentState: 'active' | 'background' | 'inactive' | 'unknown' | 'extension'
    addEventListener(
      type: 'change',
      listener: (state: 'active' | 'background' | 'inactive' | 'unknown' | 'extension') => void,
    ): { remove(): void }
  }
  export function Text(props: {
    accessibilityLiveRegion?: 'none' | 'polite' | 'assertive'
    children?: ReactNode
  }): ReactNode
  export function FlatList<Item>(props: {
    data: readonly Item[]
    keyExtractor(item: Item): string
    onEndReached?(): void
    renderItem(info: { item: Item }): ReactNode
  }): ReactNode
}

declare module '@react-native-community/netinfo' {
  const NetInfo: { addEventListener(listener: (state: { readonly isConnected: boolean | null }) => void): () => void }
  export default NetInfo
}

declare module 'expo-secure-store' {
  export function getItemAsync(key: string): Promise<string | null>
  export function setItemAsync(key: string, value: string): Promise<void>
  export function deleteItemAsync(key: string): Promise<void>
}
