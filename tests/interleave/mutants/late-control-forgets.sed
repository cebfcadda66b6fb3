# SPDX-License-Identifier: GPL-2.0-or-later
# Events from before their vCPU's control block are not raised when it comes.
/evtchn_retry(d, 1, d->valid_ports);/d
