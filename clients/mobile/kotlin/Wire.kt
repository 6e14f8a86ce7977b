package com.example.usher

import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import org.json.JSONTokener
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** Where the connection stands. */
sealed interface State {
    data object Paused : State
    data object Connecting : State
    /** Nothing is missing; `isComplete` is false if a gap could not be replayed, and the list must make up for it. */
    data class Live(val isComplete: Boolean) : State
    data class Reconnecting(val why: String, val inMs: Long) : State
    /** Nothing is tried again: 401, 41xx and 4401 need a new log-in, 403 and 4403 a right. */
    data class Ended(val code: Int, val why: String) : State
}

/** What the app does with what comes. It is called on a thread of the client's: hand on to the main one. */
interface Listener {
    fun state(state: State)
    /** Something happened, once. Names were chosen by strangers: show them as text. */
    fun event(frame: JSONObject)
    /**
     * Read the list again, and replace what is shown; merge the events that come meanwhile, by user id. Not on this
     * thread, and again if it fails.
     */
    fun reload()
}

/** The id of the last event, of one viewer on one server: key it by both. It may outlive the process. */
interface PlaceStore {
    var place: String?
}

/** How a socket ended, and what that asks for. */
class End(val code: Int, val why: String, val verdict: Verdict, val leastMs: Long = 0, val token: String? = null)

sealed interface Heard {
    data object Stopped : Heard
    data object Now : Heard
    data class Text(val text: String) : Heard
    data class Closed(val code: Int, val reason: String) : Heard
    data class Renewed(val token: String) : Heard
    data class SessionOver(val why: String) : Heard
    data class Refused(val status: Int, val leastMs: Long) : Heard {
        fun end(token: String) = End(status, "refused with $status", verdictOnStatus(status), leastMs, token)
    }
}

/** What one thread takes, in the order in which it came; of a socket that was left, nothing. */
class Inbox {
    private val queue = LinkedBlockingQueue<Pair<Int, Heard>>()
    @Volatile private var visit = 0

    fun add(heard: Heard) = queue.put(0 to heard)

    /** From now on another socket's. */
    fun next() {
        visit++
    }

    fun poll(ms: Long): Heard? {
        val until = now() + ms
        while (true) {
            val (of, heard) = queue.poll(until - now(), TimeUnit.MILLISECONDS) ?: return null
            if (of == 0 || of == visit) return heard
        }
    }

    /** Wait, unless told not to; false: stopped. */
    fun sleep(ms: Long): Boolean {
        val until = now() + ms
        while (true) {
            when (poll(maxOf(0, until - now())) ?: return true) {
                Heard.Stopped -> return false
                Heard.Now -> return true
                else -> continue
            }
        }
    }

    /** Do something that blocks on another thread, and have what comes of it here. */
    fun aside(work: () -> Heard?) {
        val mine = visit
        thread(isDaemon = true, name = "usher-renewal") { work()?.let { queue.put(mine to it) } }
    }

    fun listener() = object : WebSocketListener() {
        private val mine = visit

        override fun onMessage(webSocket: WebSocket, text: String) = queue.put(mine to Heard.Text(text))

        override fun onClosing(webSocket: WebSocket, code: Int, reason: String) =
            queue.put(mine to Heard.Closed(code, reason))

        override fun onFailure(webSocket: WebSocket, t: Throwable, response: Response?) {
            // 101 is a handshake that went well, and a line that broke later.
            val isRefused = response != null && response.code != 101
            val refused = if (isRefused) Heard.Refused(response.code, retryAfterMs(response)) else null
            queue.put(mine to (refused ?: Heard.Closed(1006, "$t")))
        }
    }
}

/** Ids that have come, the oldest forgotten beyond a bound: delivery is at least once, and showing is once. */
class Seen(private val most: Int) {
    private val ids = LinkedHashSet<String>()

    fun add(id: String): Boolean {
        val isNew = !ids.remove(id)
        ids.add(id)
        if (ids.size > most) ids.remove(ids.first())
        return isNew
    }
}

/** Milliseconds on a clock that nobody sets. */
fun now(): Long = System.nanoTime() / 1_000_000

fun auth(token: String): String = JSONObject().put("type", "auth").put("token", token).toString()

/** Return the frame that a message holds; throws `JSONException` for something that is no frame. */
fun frameOf(text: String): JSONObject {
    val json = JSONTokener(text)
    val frame = json.nextValue()
    if (frame !is JSONObject || json.nextClean() != '\u0000' || !isWhole(frame)) throw JSONException("no frame")
    return frame
}

/** Whatever its type: a new kind of event needs no new client. */
fun isEvent(frame: JSONObject): Boolean = frame.has("id") && frame.has("data") && frame.has("redacted")

/** Whether all is there that is read later, of its kind: `getString` would take a number for a word as well. */
private fun isWhole(frame: JSONObject): Boolean = when {
    frame.opt("type") !is String -> false
    isEvent(frame) ->
        frame.opt("id") is String && frame.opt("data") is JSONObject && areWords(frame.opt("redacted"))
    else -> when (frame.getString("type")) {
        "ready" -> frame.opt("user") is JSONObject && frame.optJSONObject("heartbeat").let {
            isTime(it?.opt("every_seconds")) && isTime(it?.opt("answer_within_seconds"))
        }
        "synced" -> frame.opt("complete") is Boolean
        "rights.changed" -> areWords(frame.opt("permissions"))
        "goodbye" -> frame.opt("code") is Int && frame.opt("reason") is String &&
            (!frame.has("retry_after_ms") || isTime(frame.opt("retry_after_ms")))
        else -> true
    }
}

private fun areWords(list: Any?) = list is JSONArray && (0 until list.length()).all { list.opt(it) is String }

private fun isTime(value: Any?) = value is Number && value.toDouble() in 0.0..86_400_000.0

/** A ping may come late by its jitter; two in a row do not. */
fun silenceOf(ready: JSONObject): Long {
    val beat = ready.getJSONObject("heartbeat")
    return ((2 * beat.getDouble("every_seconds") + beat.getDouble("answer_within_seconds")) * 1000).toLong()
}

/** Where the close frame got lost, or a proxy put its own in place, the goodbye still says why. */
fun endOf(goodbye: JSONObject?, closed: Int, reason: String, token: String): End {
    val code = if (closed in 4000..4499 || goodbye == null) closed else goodbye.getInt("code")
    val why = reason.ifEmpty { goodbye?.optString("reason").orEmpty() }
    return End(code, "$code $why", verdictOnClose(code), goodbye?.optLong("retry_after_ms") ?: 0, token)
}
