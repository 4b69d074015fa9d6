/** Owns the markers of MySQL up to 5.7 and of MariaDB, built with -DENABLE_DTRACE. Source: include/probes_mysql.d.base. */
export const mysql = String.raw`
connection__start connection user:text host:text
connection__done status connection
command__start connection command user:text host:text
query__start query:text connection database:text user:text host:text
query__exec__start query:text connection database:text user:text host:text kind
query__parse__start query:text
query__cache__hit query:text rows
query__cache__miss query:text
(insert|insert__select|update|multi__update|delete|multi__delete|select)__start query:text
(update|multi__update)__done status matched changed
(insert|insert__select|delete|multi__delete|select|filesort)__done status rows
(insert|update|delete|index__read)__row__start database:text table:text
read__row__start database:text table:text scan:bool
handler__(rdlock|wrlock|unlock)__start database:text table:text
filesort__start database:text table:text
net__read__start
net__read__done status bytes
net__write__start bytes
keycache__(read|write)__start file:text bytes used free
keycache__(read|write)__block bytes
keycache__read__(hit|miss)
keycache__(read|write)__done used free
\w+__done status
`;
