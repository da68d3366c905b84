"""The configuration file and what stands around it: tables, maps, rules, secrets; read whole, or told what is wrong with it."""
