package com.example.usher

import okhttp3.OkHttpClient
import org.json.JSONObject
import kotlin.system.exitProcess

/** Watches a server from a terminal: `java … com.example.usher.DemoKt http://127.0.0.1:8000 acme alice usher-demo 10`. */
fun main(arguments: Array<String>) {
    val (origin, tenant, username, password, count) = arguments
    val http = OkHttpClient() // connecting and the handshake may take ten seconds each, an open socket may be silent
    val rest = Rest(origin, http, InMemory())
    rest.logIn(tenant, username, password)
    var left = count.toInt()
    lateinit var client: UsherClient
    val app = object : Listener {
        override fun state(state: State) {
            System.err.println("-- $state")
            if (state is State.Ended) exitProcess(1)
        }

        override fun event(frame: JSONObject) {
            println(frame.getString("id") + "  " + frame.optString("message", frame.getString("type")))
            if (--left == 0) exitProcess(0)
        }

        override fun reload() {
            System.err.println("-- ${rest.users().getJSONArray("results").length()} users in the list")
        }
    }
    client = UsherClient(origin, http, rest, InMemory(), app)
    client.start()
    Thread.currentThread().join()
}

/** For the terminal only: an app keeps these over its restarts. */
private class InMemory : TokenStore, PlaceStore {
    override var access = ""
    override var refresh = ""
    override var place: String? = null
}
