"""How people came through the stages before anybody watched."""
