/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* polkit's agent on the terminal: what asks for a password when no desktop does. */

/* Starts it and waits until it has registered itself, unless there is nobody to ask (standard input
 * is no terminal) or nothing to ask for (the caller is root). That it can't be started is no error:
 * then polkit's answer is no. */
void agent_start(void);
/* Ends what agent_start() started. */
void agent_stop(void);
