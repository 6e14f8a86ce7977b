package com.example.usher

import okhttp3.HttpUrl.Companion.toHttpUrl
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.WebSocket
import org.json.JSONException
import org.json.JSONObject
import java.io.IOException
import kotlin.concurrent.thread

/** Keeps one socket open from `start()` to `stop()`, and misses nothing, neither then nor in between. */
class UsherClient(
    private val origin: String,
    private val http: OkHttpClient,
    private val rest: Rest,
    private val places: PlaceStore,
    private val app: Listener,
    private val random: () -> Double = Math::random,
) {
    private val seen = Seen(10_000)
    private var running: Running? = null

    /** The app has come to the foreground: connect, and stay connected. */
    @Synchronized
    fun start() {
        if (running == null) running = Running().also { thread(isDaemon = true, name = "usher") { it.run() } }
    }

    /** The app goes to the background: let the socket go. The place is kept, so nothing is lost. */
    @Synchronized
    fun stop() {
        running?.inbox?.add(Heard.Stopped)
        running = null
        app.state(State.Paused)
    }

    /** The device has a network again: do not wait any longer. */
    @Synchronized
    fun retryNow() {
        running?.inbox?.add(Heard.Now)
    }

    /** From a `start()` to its `stop()`. What happens is put into the inbox by whoever learns of it; one thread takes it. */
    private inner class Running {
        val inbox = Inbox()
        private var attempt = 0
        private var syncedAt = 0L
        private var hasRenewed = false
        private var useless: String? = null

        fun run() {
            while (true) {
                val end = visit() ?: return
                if (syncedAt > 0 && now() - syncedAt >= 30_000) attempt = 0 // it was a good connection
                val wait = when (end.verdict) {
                    Verdict.STOP -> return finish(end)
                    Verdict.RENEW -> {
                        if (hasRenewed) return finish(end) // a new token did not help
                        hasRenewed = true
                        useless = end.token
                        continue
                    }
                    Verdict.WAIT -> waitBefore(attempt++, random(), if (end.leastMs > 0) end.leastMs else 5_000)
                    Verdict.COME_BACK -> waitBefore(attempt++, random(), end.leastMs)
                }
                hasRenewed = false
                tell { app.state(State.Reconnecting(end.why, wait)) }
                if (!inbox.sleep(wait)) return
            }
        }

        private fun finish(end: End) = synchronized(this@UsherClient) {
            if (running === this) running = null
            app.state(State.Ended(end.code, end.why))
        }

        /** What the app must not hear of any more after `stop()`, it does not. */
        private fun tell(say: () -> Unit) = synchronized(this@UsherClient) { if (running === this) say() }

        /** One socket, from the token to its end; null: stopped. */
        private fun visit(): End? {
            syncedAt = 0 // first of all: also a visit that has no token was no good connection
            tell { app.state(State.Connecting) }
            val token = try {
                useless?.let { rest.renew(it) } ?: rest.access
            } catch (over: SessionOver) {
                return End(401, over.message.orEmpty(), Verdict.STOP)
            } catch (refused: Refused) {
                val isBusy = verdictOnStatus(refused.status) == Verdict.WAIT
                val verdict = if (isBusy) Verdict.WAIT else Verdict.COME_BACK
                return End(refused.status, "no token: ${refused.message}", verdict, refused.leastMs)
            } catch (error: IOException) {
                return End(1006, "no token: ${error.message}", Verdict.COME_BACK)
            }
            useless = null
            val place = places.place
            val address = "$origin/ws/user_notifications/".toHttpUrl().newBuilder()
            place?.let { address.addQueryParameter("after", it) }
            val request = Request.Builder().url(address.build())
                .header("Authorization", "Bearer $token").header("Sec-WebSocket-Protocol", "usher.v1").build()
            inbox.next()
            val socket = http.newWebSocket(request, inbox.listener())
            try {
                return stay(socket, token, place != null)
            } finally {
                socket.close(1000, null) // where nobody answers it, OkHttp lets go by itself
            }
        }

        private fun stay(socket: WebSocket, first: String, hadPlace: Boolean): End? {
            var token = first
            var patience = 10_000L
            var goodbye: JSONObject? = null
            while (true) {
                val heard = inbox.poll(patience) ?: return goodbye?.let { endOf(it, 0, "", token) }
                    ?: End(0, "nothing came for $patience ms", Verdict.COME_BACK)
                when (heard) {
                    Heard.Stopped -> return null
                    Heard.Now -> continue
                    is Heard.Refused -> return heard.end(token)
                    is Heard.Renewed -> token = heard.token.also { socket.send(auth(it)) }
                    is Heard.SessionOver -> return End(401, heard.why, Verdict.STOP)
                    is Heard.Closed -> return endOf(goodbye, heard.code, heard.reason, token)
                    is Heard.Text -> {
                        val frame = try {
                            frameOf(heard.text)
                        } catch (error: JSONException) {
                            return End(0, "the server sent something that is no frame", Verdict.COME_BACK)
                        }
                        if (isEvent(frame)) take(frame)
                        else when (frame.getString("type")) {
                            "ping" -> socket.send("""{"type":"pong"}""")
                            "ready" -> patience = silenceOf(frame)
                            "synced" -> synced(frame, hadPlace)
                            "rights.changed" -> tell { app.reload() }
                            "auth.expiring" -> renewInPlace(token)
                            "goodbye" -> {
                                goodbye = frame
                                patience = 3_000 // the close frame may never come
                            }
                        }
                    }
                }
            }
        }

        private fun take(frame: JSONObject) = tell {
            val id = frame.getString("id")
            if (seen.add(id)) app.event(frame)
            places.place = id // after the app has it: should the process end in between, it comes again
        }

        private fun synced(frame: JSONObject, hadPlace: Boolean) {
            syncedAt = now()
            hasRenewed = false
            val isComplete = frame.getBoolean("complete")
            tell {
                if (!isComplete) places.place = null
                app.state(State.Live(isComplete))
                if (!isComplete || !hadPlace) app.reload()
            }
        }

        /** The socket stays open meanwhile; if this fails for now, its end will say that the token has ended. */
        private fun renewInPlace(token: String) = inbox.aside {
            try {
                Heard.Renewed(rest.renew(token))
            } catch (over: SessionOver) {
                Heard.SessionOver(over.message.orEmpty())
            } catch (error: IOException) {
                null
            }
        }
    }
}
