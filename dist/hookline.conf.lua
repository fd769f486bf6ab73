-- The configuration of the host that is a service of the system. hookline.conf.lua(5) has every key.
-- Relative paths count from this folder.
return {
  listen = "127.0.0.1:8080",
  rules  = "rules",
  data   = "/var/lib/hookline",
}
