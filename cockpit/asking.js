/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the service for something that may be other again at any time: soon after the first of a
 * crowd of signals, never twice at once, and once more when there was news meanwhile. */

/* Milliseconds. */
const CROWD = 200;

export class Asking {
    /* @ask returns a promise and throws nothing. */
    constructor(ask) {
        this.ask = ask;
        this.timer = null;
        this.delay = 0;
        this.busy = false;
        this.news = false;
    }

    /* An earlier time than the one that was set takes its place, a later one doesn't. */
    soon(delay = CROWD) {
        if (this.timer !== null && this.delay <= delay) return;
        this.stop();
        this.delay = delay;
        this.timer = window.setTimeout(() => this.now(), delay);
    }

    stop() {
        window.clearTimeout(this.timer);
        this.timer = null;
        this.news = false;
    }

    async now() {
        this.stop();
        if (this.busy) {
            this.news = true;
            return;
        }
        this.busy = true;
        do {
            this.news = false;
            await this.ask();
        } while (this.news);
        this.busy = false;
    }
}
