"""What renews certificates while nobody looks: a systemd timer, or a line of cron."""
