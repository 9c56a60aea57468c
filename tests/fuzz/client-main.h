/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The main() of nestvirtctl, which is built under this name for who has a main() of its own. */

int client_main(int argc, char **argv);
